"""Results as files, for whoever is signed in to the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.opening import open_store
from assistant.settings import Settings

TEXT = "右肺上叶见一实性结节，大小约12mm×8mm。无胸痛。"
HERE = {"X-Patient-Id": "pat-1"}


@pytest.fixture
def pages(settings: Settings) -> Iterator[TestClient]:
    with TestClient(build_app(settings), base_url="http://127.0.0.1") as opened:
        yield opened


def made(client: TestClient, headers: dict[str, str] | None = None, **more: Any) -> str:
    body = {"text": TEXT, "patient_id": "pat-1", **more}
    answer = client.post("/v1/structured-notes", json=body, headers=headers)
    assert answer.status_code == 200
    return f"/pages/structured/{answer.json()['id']}"


def test_every_form_of_a_result(pages: TestClient) -> None:
    place = made(pages, template="chest-ct")
    table = pages.get(f"{place}/csv", headers=HERE)
    assert table.headers["content-type"].startswith("text/csv")
    assert table.headers["cache-control"] == "no-store"
    assert table.content.startswith("\ufeffnote_id,".encode())
    assert "胸痛" in table.text
    whole = pages.get(f"{place}/json", headers=HERE).json()
    assert whole["notes"][0]["entities"]
    assert "草稿" in whole["notice"]
    assert pages.get(f"{place}/fhir", headers=HERE).json()["resourceType"] == "Bundle"
    assert "12" in pages.get(f"{place}/table", headers=HERE).text


def test_a_result_is_its_patients_alone(pages: TestClient) -> None:
    place = made(pages)
    assert pages.get(f"{place}/csv", headers={"X-Patient-Id": "pat-2"}).status_code == 404
    assert pages.get(f"{place}/csv").status_code == 422
    assert pages.get(f"{place}/table", headers=HERE).status_code == 404
    assert pages.get(f"{place}/pdf", headers=HERE).status_code == 422
    place = made(pages, encounter_id="enc-1")
    for encounter, status in (("enc-1", 200), ("enc-9", 404)):
        both = {**HERE, "X-Encounter-Id": encounter}
        assert pages.get(f"{place}/csv", headers=both).status_code == status


def test_nobody_gets_a_file_without_signing_in(settings: Settings) -> None:
    closed = settings.model_copy(update={"require_api_key": True})
    store = open_store(closed)
    keys = {
        role: store.api_keys.create(f"{role}-1", role, "test")[1] for role in ("doctor", "auditor")
    }
    store.close()
    with TestClient(build_app(closed), base_url="http://127.0.0.1") as client:
        place = made(client, {"Authorization": f"Bearer {keys['doctor']}"})
        assert client.get(f"{place}/csv", headers=HERE).status_code == 401
        for role, status in (("auditor", 403), ("doctor", 200)):
            client.post("/sign-in", data={"key": keys[role]})
            assert client.get(f"{place}/csv", headers=HERE).status_code == status
