"""``/v1/structured-notes`` as a system calls it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/v1/structured-notes"
TEXT = "发热、咳嗽3天，无胸痛。T 38.5℃，WBC 12.3×10^9/L↑。考虑肺炎。"
HEADERS = {"X-Patient-Id": "pat-1"}


def post(client: TestClient, body: dict[str, Any], **more: Any) -> Any:
    return client.post(PATH, json=body, **more)


def test_one_note(client: TestClient) -> None:
    answer = post(client, {"text": TEXT, "patient_id": "pat-1"})
    assert answer.status_code == 200
    job = answer.json()
    assert job["status"] == "finished"
    assert "草稿" in job["notice"]
    (note,) = job["notes"]
    assert "草稿" in note["disclaimer"]
    for entity in note["entities"]:
        assert TEXT[entity["start"] : entity["end"]] == entity["text"]
    said = {e["text"]: e["polarity"] for e in note["entities"]}
    assert (said["发热"], said["胸痛"]) == ("present", "absent")
    assert {"结果", "时间"} <= {r["predicate"] for r in note["relations"]}
    assert [p["places"][0]["text"] for p in job["patient"]["problems"]] == ["肺炎"]


def test_a_text_needs_no_patient(client: TestClient) -> None:
    assert post(client, {"text": TEXT}).status_code == 200


def test_a_batch_with_a_template(client: TestClient) -> None:
    body = {
        "patient_id": "pat-1",
        "admitted_at": "2024-03-05T08:00:00",
        "template": "chest-ct",
        "notes": [
            {"id": "ct", "text": "右肺上叶见结节，大小约8mm。"},
            {"id": "n", "text": "3天前发热。", "written_at": "2024-03-06T08:00:00"},
        ],
    }
    job = post(client, body).json()
    assert [n["note_id"] for n in job["notes"]] == ["ct", "n"]
    fever = next(e for e in job["notes"][1]["entities"] if e["text"] == "发热")
    assert fever["time"]["value"] == "2024-03-02"
    assert job["table"]["rows"][0]["cells"]["size"]["value"] == "8"


def test_accepted_work_is_kept_and_read_again(client: TestClient) -> None:
    answer = post(client, {"text": TEXT, "patient_id": "pat-1"}, params={"wait": False})
    assert answer.status_code == 202
    stream = client.get(answer.json()["links"]["events"], headers=HEADERS)
    assert "event: finished" in stream.text
    job = client.get(answer.headers["location"], headers=HEADERS).json()
    assert job["notes"][0]["entities"]
    (draft,) = client.get("/v1/drafts", headers=HEADERS).json()
    assert draft["kind"] == "structured_notes"
    other = client.get(answer.headers["location"], headers={"X-Patient-Id": "pat-2"})
    assert other.status_code == 404


def test_exports(client: TestClient) -> None:
    job = post(client, {"text": TEXT, "patient_id": "pat-1"}).json()
    place = f"{PATH}/{job['id']}/export"
    fhir = client.get(place, headers=HEADERS)
    assert fhir.headers["content-type"].startswith("application/fhir+json")
    assert fhir.json()["resourceType"] == "Bundle"
    table = client.get(place, params={"format": "csv"}, headers=HEADERS)
    assert table.text.startswith("note_id,")
    assert "胸痛" in table.text
    assert client.get(place, headers={"X-Patient-Id": "pat-2"}).status_code == 404


def test_the_same_key_gives_the_same_job(client: TestClient) -> None:
    key = {"Idempotency-Key": "k1"}
    first = post(client, {"text": TEXT}, headers=key).json()
    assert post(client, {"text": TEXT}, headers=key).json()["id"] == first["id"]
    assert post(client, {"text": "咳嗽"}, headers=key).status_code == 409


def test_such_a_draft_has_nothing_to_fill_in(client: TestClient) -> None:
    post(client, {"text": TEXT, "patient_id": "pat-1"})
    (draft,) = client.get("/v1/drafts", headers=HEADERS).json()
    place = f"/v1/drafts/{draft['id']}"
    assert client.post(f"{place}/fill-in", headers=HEADERS).status_code == 422
    body = {"statement_id": "s1", "action": "confirmed"}
    assert client.post(f"{place}/resolutions", json=body, headers=HEADERS).status_code == 422


def test_what_was_done_is_in_the_audit_without_the_text(client: TestClient) -> None:
    post(client, {"text": TEXT, "patient_id": "pat-1"})
    rows = client.get("/v1/audit", headers={"X-Actor-Role": "auditor"}).json()
    assert {"request.submit", "draft.add"} <= {row["action"] for row in rows}
    assert "肺炎" not in json.dumps(rows, ensure_ascii=False)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"text": TEXT, "notes": [{"text": TEXT}]}, 422),
        ({"notes": []}, 422),
        ({"notes": [{"id": "a", "text": ""}, {"id": "a", "text": ""}]}, 422),
        ({"text": 3}, 422),
        ({"text": TEXT, "template": "no-such"}, 422),
        ({"text": TEXT, "template": "../../etc/passwd"}, 422),
        ({"text": TEXT, "unknown": 1}, 422),
        ({"text": TEXT, "patient_id": "张 三"}, 422),
        ({"text": "x" * 1_200_000}, 422),
    ],
)
def test_bad_requests_are_4xx(client: TestClient, body: dict[str, Any], status: int) -> None:
    answer = post(client, body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \r\n",
        "😷发热\u0000\u0007e\u0301",
        "ＷＢＣ　１２.３",
        "No fever. BP 120/80 mmHg.",
        "，" * 9000,
    ],
)
def test_any_text_is_structured(client: TestClient, text: str) -> None:
    answer = post(client, {"text": text})
    assert answer.status_code == 200
    for entity in answer.json()["notes"][0]["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]


def test_a_lone_surrogate_is_refused(client: TestClient) -> None:
    answer = client.post(
        PATH, content=b'{"text": "\\ud800"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422


def test_a_header_that_names_another_patient_is_refused(client: TestClient) -> None:
    answer = post(client, {"text": TEXT, "patient_id": "pat-1"}, headers={"X-Patient-Id": "pat-9"})
    assert answer.status_code == 409
