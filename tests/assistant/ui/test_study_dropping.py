"""The route behind a study dropped on a page: what is kept, and for whom."""

from __future__ import annotations

import io
import zipfile

import httpx
import pytest
from browser_visit import Server
from imaging_samples import series, written

pytestmark = pytest.mark.browser
HEADERS = {"X-Patient-Id": "pat-drop", "Content-Type": "application/octet-stream"}


def post(server: Server, body: bytes, **headers: str) -> httpx.Response:
    return httpx.post(f"{server.address}/pages/studies", content=body, headers=HEADERS | headers)


def zipped(*files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, data in enumerate(files):
            archive.writestr(f"../{number}", data)
    return out.getvalue()


def test_a_zip_becomes_a_series_of_its_patient(server: Server) -> None:
    files = [written(one) for one in series()]
    answer = post(server, zipped(b"DICOMDIR?", *files))
    assert (answer.status_code, answer.json()) == (201, {"kept": len(files)})
    listed = httpx.get(f"{server.address}/v1/attachments", headers={"X-Patient-Id": "pat-drop"})
    assert [one["instances"] for one in listed.json()] == [len(files)]
    other = httpx.get(f"{server.address}/v1/attachments", headers={"X-Patient-Id": "pat-other"})
    assert other.json() == []


def test_what_is_no_image_is_not_kept(server: Server) -> None:
    assert post(server, b"just words").json() == {"kept": 0}
    broken = post(server, zipped(b"x" * 1000)[:-30])
    assert broken.status_code in (201, 422)
    assert broken.status_code == 422 or broken.json() == {"kept": 0}
    assert post(server, b"", **{"X-Patient-Id": "../x"}).status_code == 422


def test_nobody_drops_without_being_signed_in(closed_server: Server) -> None:
    answer = post(closed_server, written(series()[0]))
    assert answer.status_code == 401
