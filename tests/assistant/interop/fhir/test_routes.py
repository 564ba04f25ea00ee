"""``/v1/fhir`` and ``bedside fhir``: a Bundle in, an encounter out, that a task takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fhir_samples as made
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from assistant.cli import app

PATH = "/v1/fhir/encounters"
NOTIFICATIONS = "/v1/fhir/notifications"
BUNDLE = made.bundle(made.patient(), made.stay(), made.observation(), made.document())


def test_a_bundle_becomes_what_the_tasks_take(client: TestClient) -> None:
    answer = client.post(PATH, json=BUNDLE)
    assert answer.status_code == 200
    encounter = answer.json()["encounter"]
    job = client.post("/v1/discharge-records", params={"wait": True}, json={"encounter": encounter})
    assert job.status_code == 200
    assert job.json()["patient_id"] == "p1"


def test_the_digits_of_a_result_are_kept(client: TestClient) -> None:
    body = json.dumps(BUNDLE).replace("13.2", "13.20")
    answer = client.post(PATH, content=body, headers={"Content-Type": "application/fhir+json"})
    assert answer.json()["encounter"]["observations"][0]["value"] == "13.20"


NO_RECORDS = [
    (b"{", "JSON"),
    (b"[]", "FHIR"),
    (b"\xff\xfe", "JSON"),
    (b"[" * 100_000, "JSON"),
    (b'{"a": NaN}', "JSON"),
    (b'{"resourceType": "Bundle"}', "patient_id"),
    (json.dumps(made.bundle(made.patient())).encode(), "encounter_id"),
    (json.dumps(made.bundle(made.patient(), made.patient("p2"))).encode(), "patient_id"),
]


def test_what_is_no_record_is_refused_with_a_sentence(client: TestClient) -> None:
    for body, said in NO_RECORDS:
        answer = client.post(PATH, content=body)
        assert answer.status_code == 422, body[:40]
        assert said in answer.json()["detail"]


def test_the_header_must_name_the_patient(client: TestClient) -> None:
    answer = client.post(
        PATH, params={"patient_id": "p1"}, json=BUNDLE, headers={"X-Patient-Id": "p2"}
    )
    assert answer.status_code == 409


def test_without_a_clinical_role_nothing_is_read(client: TestClient) -> None:
    for path in (PATH, NOTIFICATIONS):
        answer = client.post(path, json=BUNDLE, headers={"X-Actor-Role": "auditor"})
        assert answer.status_code == 403


def test_no_server_is_set(client: TestClient) -> None:
    answer = client.get(f"{PATH}/e1", headers={"X-Patient-Id": "p1"})
    assert answer.status_code == 404
    assert "fhir.server" in answer.json()["detail"]


def notice(*resources: dict[str, Any], kind: str = "event-notification") -> dict[str, Any]:
    """A notification of the R5 backport."""
    status = {
        "resourceType": "Parameters",
        "id": "s1",
        "parameter": [
            {"name": "subscription", "valueReference": {"reference": "Subscription/1"}},
            {"name": "type", "valueCode": kind},
        ],
    }
    entries = [{"resource": r} for r in (status, *resources)]
    return {"resourceType": "Bundle", "type": "history", "entry": entries}


def test_notifications_add_up_to_a_stay(client: TestClient) -> None:
    first = notice(made.patient(), made.stay(), made.observation())
    assert client.post(NOTIFICATIONS, json=first).json() == {"kept": 1, "again": 0}
    assert client.post(NOTIFICATIONS, json=first).json() == {"kept": 1, "again": 1}
    corrected = made.observation(status="corrected", meta={"lastUpdated": "2036-03-06T08:00:00Z"})
    answer = client.put(f"{NOTIFICATIONS}/Observation/o1", json=corrected)
    assert answer.json() == {"kept": 1, "again": 0}
    removed = made.observation("o2", meta={"lastUpdated": "2036-03-06T08:00:00Z"})
    client.post(NOTIFICATIONS, json=removed)
    client.post(
        NOTIFICATIONS,
        json={
            **removed,
            "status": "entered-in-error",
            "meta": {"lastUpdated": "2036-03-06T09:00:00Z"},
        },
    )
    path = "/v1/hl7/encounters/e1"
    found = client.get(path, headers={"X-Patient-Id": "p1"}).json()
    assert found["patient"]["name"] == "测试甲"
    assert [o["id"] for o in found["observations"]] == ["o1"]
    assert client.get(path, headers={"X-Patient-Id": "p2"}).status_code == 404


def test_a_handshake_keeps_nothing_and_one_without_payload_says_so(client: TestClient) -> None:
    assert client.post(NOTIFICATIONS, json=notice(kind="handshake")).json()["kept"] == 0
    answer = client.post(NOTIFICATIONS, json=notice())
    assert answer.status_code == 422
    assert "payload" in answer.json()["detail"]


def test_the_command_reads_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path))
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(BUNDLE), "utf-8")
    ran = CliRunner().invoke(app, ["fhir", "read", str(file), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["encounter"]["id"] == "e1"
    shown = CliRunner().invoke(app, ["fhir", "read", str(file)])
    assert "主诉：咳嗽3天。" in shown.stdout
    for arguments in (["fhir", "read", "nothing.json"], ["hl7", "read", "nothing.hl7"]):
        wrong = CliRunner().invoke(app, arguments)
        assert wrong.exit_code == 2
        assert "Traceback" not in wrong.output


def test_a_hospitals_own_mapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_HOME", str(tmp_path))
    own = tmp_path / "fhir-mapping.yaml"
    own.write_text('names: {"LOCAL|77": 超敏C反应蛋白}\nunits: {毫克每升: mg/L}\n', "utf-8")
    local = made.observation(
        code=made.coded("", "77", "LOCAL"), valueQuantity={"value": 3, "unit": "毫克每升"}
    )
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps(made.bundle(made.patient(), made.stay(), local)), "utf-8")
    ran = CliRunner().invoke(app, ["fhir", "read", str(file), "--json"])
    row = json.loads(ran.stdout)["encounter"]["observations"][0]
    assert (row["name"], row["unit"]) == ("超敏C反应蛋白", "mg/L")
    for text in ("nothing: {}", "names: []", "[", 'denied_words: "("'):
        own.write_text(text, "utf-8")
        ran = CliRunner().invoke(app, ["fhir", "read", str(file)])
        assert ran.exit_code == 2, text
        assert "fhir-mapping.yaml" in ran.output
