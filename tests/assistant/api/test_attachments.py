"""Pages and series: uploaded, read, refused, named by a record, purged."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import pytest
from attachment_samples import PAGE_SIZE, SERIES, STUDY, instance, other_uid, page
from starlette.testclient import TestClient

from assistant.settings import Settings
from assistant.store import Context, Store

PATH = "/v1/attachments"
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
PNG, DICOM = {"Content-Type": "image/png"}, {"Content-Type": "application/dicom"}
DIRTY = instance(study="Zhang San")
ADMIN = Context.operator("admin-1")


def upload(client: TestClient, data: bytes, kind: dict[str, str] = PNG, **more: Any) -> Any:
    return client.post(PATH, headers=PATIENT | kind, content=data, params=more)


def kept_files(settings: Settings) -> list[Path]:
    return [path for path in (settings.home / "attachments").glob("*/*") if path.is_file()]


def store_of(client: TestClient) -> Store:
    store: Store = client.app.state.services.store  # type: ignore[attr-defined]
    return store


def test_a_page_is_kept_by_its_content(client: TestClient, settings: Settings) -> None:
    data = page()
    made = upload(client, data, page=2)
    assert made.status_code == 201
    shown = made.json()
    assert shown == {
        "kind": "page_image",
        "id": shown["id"],
        "media_type": "image/png",
        "sha256": hashlib.sha256(data).hexdigest(),
        "page": 2,
        "width": PAGE_SIZE[0],
        "height": PAGE_SIZE[1],
    }
    assert upload(client, data, page=2).json() == shown
    assert upload(client, data, page=3).json()["id"] != shown["id"]
    (file,) = kept_files(settings)
    assert (file.name, file.read_bytes()) == (shown["sha256"], data)
    assert file.stat().st_mode & 0o077 == 0
    place = f"{PATH}/{shown['id']}"
    assert client.get(place, headers=PATIENT).json() == shown
    read = client.get(f"{place}/content", headers=PATIENT)
    assert (read.content, read.headers["content-type"]) == (data, "image/png")
    assert read.headers["x-content-type-options"] == "nosniff"
    assert [one["page"] for one in client.get(PATH, headers=PATIENT).json()] == [3, 2]


def test_instances_of_a_series_make_one_attachment(client: TestClient) -> None:
    first = upload(client, instance(1), DICOM).json()
    second = upload(client, instance(2), DICOM).json()
    assert first["id"] == second["id"]
    assert (second["study_uid"], second["series_uid"]) == (STUDY, SERIES)
    assert (second["modality"], second["rows"], second["columns"]) == ("CT", 2, 3)
    assert (first["instances"], second["instances"]) == (1, 2)
    assert first["sha256"] != second["sha256"]
    assert upload(client, instance(2), DICOM).json() == second
    place = f"{PATH}/{second['id']}"
    names = client.get(f"{place}/files", headers=PATIENT).json()["names"]
    assert names == [f"{SERIES}.1", f"{SERIES}.2"]
    read = client.get(f"{place}/content", headers=PATIENT, params={"name": names[0]})
    assert read.content == instance(1)
    assert read.headers["content-disposition"] == "attachment"
    assert client.get(f"{place}/content", headers=PATIENT).status_code == 404
    other = upload(client, instance(1, series=other_uid()), DICOM).json()
    assert other["id"] != second["id"]


def test_another_content_under_a_known_uid_is_refused(client: TestClient) -> None:
    upload(client, instance(1), DICOM)
    changed = instance(1).replace(bytes([1] * 6), bytes([9] * 6))
    assert upload(client, changed, DICOM).status_code == 409
    assert upload(client, instance(2, study=other_uid()), DICOM).status_code == 409
    assert client.get(PATH, headers=PATIENT).json()[0]["instances"] == 1


@pytest.mark.parametrize(
    ("data", "media_type", "status"),
    [
        (page(), "image/gif", 415),
        (page(), "text/html", 415),
        (page(), "", 415),
        (page("JPEG"), "image/png", 422),
        (page(), "image/jpeg", 422),
        (b"<svg onload=alert(1)>", "image/png", 422),
        (b"", "image/png", 422),
        (page()[:20], "image/png", 422),
        (page(), "application/dicom", 422),
        (bytes(128) + b"DICM", "application/dicom", 422),
        (instance(modality=""), "application/dicom", 422),
        (instance(study="../../etc"), "application/dicom", 422),
    ],
)
def test_what_is_no_page_and_no_instance_is_refused(
    client: TestClient, settings: Settings, data: bytes, media_type: str, status: int
) -> None:
    answer = upload(client, data, {"Content-Type": media_type})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert kept_files(settings) == []
    assert client.get(PATH, headers=PATIENT).json() == []


def test_no_word_of_a_header_is_in_the_log(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert upload(client, DIRTY, DICOM).status_code == 422
    assert "Zhang" not in caplog.text


def test_too_large_a_file_is_refused(client: TestClient, settings: Settings) -> None:
    data = bytes(settings.max_attachment_bytes + 1)
    assert upload(client, data).status_code == 413
    assert len(page()) < settings.max_request_bytes < settings.max_attachment_bytes
    assert upload(client, page(), page=0).status_code == 422


def test_too_many_pixels_are_refused(client: TestClient) -> None:
    header = bytearray(page())
    header[16:24] = (40_000).to_bytes(4, "big") * 2
    assert upload(client, bytes(header)).status_code == 422


def test_only_its_own_patient_and_encounter_see_it(client: TestClient) -> None:
    shown = upload(client, page()).json()
    place = f"{PATH}/{shown['id']}"
    for other in ({"X-Patient-Id": "pat-2"}, {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-2"}):
        for way in ("", "/content", "/files"):
            assert client.get(place + way, headers=other).status_code == 404
        assert client.get(PATH, headers=other).json() == []
    assert client.get(place).status_code == 422
    auditor = PATIENT | {"X-Actor-Role": "auditor"}
    assert client.get(place, headers=auditor).status_code == 403
    assert client.post(PATH, headers=auditor | PNG, content=page()).status_code == 403
    rows = client.get("/v1/audit", headers={"X-Actor-Role": "auditor"}).json()
    assert {"attachment.add", "attachment.read_refused"} <= {row["action"] for row in rows}


def with_page(case: dict[str, Any], attachment: dict[str, Any]) -> dict[str, Any]:
    return case | {"attachments": [attachment]}


def test_a_record_names_its_attachments(client: TestClient, case: dict[str, Any]) -> None:
    shown = upload(client, page()).json()
    ask = "/v1/differential-diagnoses?wait=true"
    plain = client.post(ask, json=case).json()
    made = client.post(ask, json=with_page(case, shown)).json()
    assert made["status"] == "finished"
    assert made["record_hash"] != plain["record_hash"]
    assert (
        client.post(ask, json=case | {"attachments": []}).json()["record_hash"]
        == (plain["record_hash"])
    )
    unknown = with_page(case, shown | {"id": "0197f0c0-0000-7000-8000-000000000000"})
    assert client.post(ask, json=unknown).status_code == 404
    changed = with_page(case, shown | {"sha256": "0" * 64})
    assert client.post(ask, json=changed).status_code == 404
    foreign = with_page(case | {"patient": {"id": "pat-2"}}, shown)
    assert client.post(ask, json=foreign).status_code == 404


def test_a_purge_deletes_it_unless_another_patient_has_the_same(
    client: TestClient, settings: Settings
) -> None:
    upload(client, page())
    upload(client, page(mark=1))
    client.post(PATH, headers={"X-Patient-Id": "pat-2"} | PNG, content=page())
    assert len(kept_files(settings)) == 2
    counts = store_of(client).purge_patient("pat-1", ADMIN)
    assert counts.attachments == 2
    assert client.get(PATH, headers=PATIENT).json() == []
    (left,) = kept_files(settings)
    assert left.read_bytes() == page()
    store_of(client).purge_patient("pat-2", ADMIN)
    assert kept_files(settings) == []
    assert store_of(client).audit.verify().ok
