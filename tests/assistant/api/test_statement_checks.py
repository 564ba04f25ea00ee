"""``/v1/statement-checks`` as a system calls it."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/v1/statement-checks"
RECORD = "予低分子肝素5,000IU皮下注射q12h抗凝。否认糖尿病。"
TRUE = "否认糖尿病。"
FALSE = "患者有糖尿病。"


def body(**more: Any) -> dict[str, Any]:
    return {"record": RECORD, "statements": [TRUE, FALSE]} | more


def test_statements_about_a_text(client: TestClient) -> None:
    answer = client.post(PATH, json=body())
    assert answer.status_code == 200
    result = answer.json()
    assert (result["supported"], result["unsupported"]) == (1, 1)
    assert "草稿" in result["notice"]
    first, second = result["checks"]
    assert (first["statement"], first["status"], first["problems"]) == (TRUE, "supported", [])
    (evidence,) = first["evidence"]
    span = evidence
    assert RECORD[span["start"] : span["end"]] == evidence["quote"]
    assert second["status"] == "unsupported"
    assert second["problems"][0]["kind"] == "negation"


def test_statements_about_an_encounter_and_about_notes(
    client: TestClient, encounter: dict[str, Any]
) -> None:
    said = ["在全身麻醉下行腹腔镜胆囊切除术。"]
    whole = client.post(PATH, json={"encounter": encounter, "statements": said})
    assert whole.status_code == 200
    notes = [{"id": "n1", "text": "咳嗽3天。"}, {"id": "n2", "text": RECORD}]
    parts = client.post(PATH, json={"notes": notes, "statements": [TRUE]}).json()
    assert parts["checks"][0]["evidence"][0]["note_id"] == "n2"


@pytest.mark.parametrize(
    "wrong",
    [
        {"record": None},
        {"notes": [{"id": "n", "text": "发热。"}]},
        {"statements": []},
        {"statements": ["  "]},
        {"statements": ["发热" * 5_000]},
        {"record": ""},
        {"surprise": 1},
    ],
)
def test_what_is_not_valid_is_a_422_without_the_text(
    client: TestClient, wrong: dict[str, Any]
) -> None:
    answer = client.post(PATH, json=body(**wrong))
    assert answer.status_code == 422
    assert "发热" not in answer.text
    assert "肝素" not in answer.text


def test_notes_with_one_id_are_refused(client: TestClient) -> None:
    notes = [{"id": "n", "text": "发热。"}, {"id": "n", "text": "咳嗽。"}]
    assert client.post(PATH, json={"notes": notes, "statements": ["发热。"]}).status_code == 422


def test_headers_and_record_name_one_patient(client: TestClient) -> None:
    other = {"X-Patient-Id": "pat-2"}
    assert client.post(PATH, json=body(patient_id="pat-1"), headers=other).status_code == 409


def test_a_body_over_the_limit_is_a_413(client: TestClient) -> None:
    assert client.post(PATH, json=body(statements=["咳" * 600_000])).status_code == 413


def test_it_is_for_clinical_roles(client: TestClient) -> None:
    auditor = {"X-Actor-Id": "a", "X-Actor-Role": "auditor"}
    assert client.post(PATH, json=body(), headers=auditor).status_code == 403


def test_the_audit_has_a_row_and_no_log_has_the_text(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client.post(PATH, json=body(patient_id="pat-1"))
    auditor = {"X-Actor-Id": "a", "X-Actor-Role": "auditor"}
    rows = client.get("/v1/audit", headers=auditor).json()
    row = next(r for r in rows if r["action"] == "statements.check")
    assert row["patient_ref"]
    assert row["content_ref"]
    assert "肝素" not in str(rows) + caplog.text
    assert "糖尿病" not in caplog.text


def test_openapi_types_the_answer(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    answer = document["paths"][PATH]["post"]["responses"]["200"]["content"]["application/json"]
    assert answer["schema"]["$ref"].endswith("/StatementChecks")
    fields = document["components"]["schemas"]["CheckedStatement"]["properties"]
    assert set(fields) == {"statement", "status", "problems", "evidence"}
