"""Keys, roles, audit, health, docs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant import engines
from assistant.application import build_app
from assistant.settings import Settings
from assistant.store import DatabaseFailed

DDX = "/v1/differential-diagnoses"


@pytest.fixture
def guarded(settings: Settings) -> Iterator[TestClient]:
    app = build_app(settings.model_copy(update={"require_api_key": True}), with_ui=False)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def key(client: TestClient, actor: str, role: str) -> dict[str, str]:
    store = client.app.state.services.store  # type: ignore[attr-defined]
    _, secret = store.api_keys.create(actor, role, "test")
    return {"Authorization": f"Bearer {secret}"}


def test_keys_are_asked_for_where_they_are_required(
    guarded: TestClient, case: dict[str, Any]
) -> None:
    for path in ("/v1/knowledge/search?q=肺炎", "/v1/models", "/v1/audit"):
        assert guarded.get(path).status_code == 401
    assert guarded.post(DDX, json=case).status_code == 401
    wrong = {"Authorization": "Bearer bsk_wrong"}
    assert guarded.post(DDX, json=case, headers=wrong).status_code == 401
    good = key(guarded, "cdss", "system")
    assert guarded.post(DDX, json=case, headers=good).status_code == 202
    assert guarded.get("/healthz").status_code == 200


def test_any_word_is_a_key_where_none_was_made_and_none_is_asked_for(
    client: TestClient, guarded: TestClient
) -> None:
    for word in ("EMPTY", "none", "sk-1"):
        header = {"Authorization": f"Bearer {word}"}
        assert client.get("/v1/models", headers=header).status_code == 200
        assert guarded.get("/v1/models", headers=header).status_code == 401
    assert client.get("/v1/models", headers={"Authorization": "Bearer bsk_x"}).status_code == 401


def test_once_a_key_was_made_a_wrong_one_is_refused(client: TestClient) -> None:
    good = key(client, "dr-li", "doctor")
    assert client.get("/v1/models", headers=good).status_code == 200
    assert client.get("/v1/models", headers={"Authorization": "Bearer EMPTY"}).status_code == 401
    assert client.get("/v1/models").status_code == 200


def test_settings_require_keys_off_loopback() -> None:
    assert Settings(host="0.0.0.0").keys_required
    assert not Settings(host="127.0.0.1").keys_required


def test_a_system_key_names_the_doctor_but_cannot_become_an_auditor(
    guarded: TestClient, case: dict[str, Any]
) -> None:
    system = key(guarded, "cdss", "system")
    as_doctor = system | {"X-Actor-Id": "dr-li", "X-Actor-Role": "doctor"}
    assert guarded.post(DDX, json=case, headers=as_doctor).status_code == 202
    as_auditor = system | {"X-Actor-Id": "dr-li", "X-Actor-Role": "auditor"}
    assert guarded.get("/v1/audit", headers=as_auditor).status_code == 403
    auditor = key(guarded, "aud-1", "auditor")
    rows = guarded.get("/v1/audit", headers=auditor).json()
    assert any(r["actor_id"] == "dr-li" and r["action"] == "request.submit" for r in rows)


@pytest.mark.parametrize("role", ["auditor", "admin", "banana"])
def test_a_key_without_a_clinical_role_sees_and_sends_no_records(
    guarded: TestClient, case: dict[str, Any], role: str
) -> None:
    wrong = key(guarded, "someone", role)
    patient = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
    question = {"question": "？", "patient_id": "pat-1"}
    assert guarded.post(DDX, json=case, headers=wrong).status_code == 403
    assert guarded.post("/v1/answers", json=question, headers=wrong).status_code == 403
    for path in ("/v1/drafts", "/v1/drafts/x", f"{DDX}/x", f"{DDX}/x/events", "/v1/feedback"):
        assert guarded.get(path, headers=wrong | patient).status_code == 403, path


def test_filling_in_and_signing_take_a_doctor(guarded: TestClient, case: dict[str, Any]) -> None:
    patient = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
    system = key(guarded, "cdss", "system")
    for who in (key(guarded, "nurse-1", "nurse"), system):
        for path in ("/v1/drafts/x/fill-in", "/v1/drafts/x/signature"):
            body = {"text": "定稿"}
            assert guarded.post(path, headers=who | patient, json=body).status_code == 403
    named = system | patient | {"X-Actor-Id": "dr-li"}
    assert guarded.post("/v1/drafts/x/fill-in", headers=named).status_code == 404
    doctor = key(guarded, "dr-li", "doctor") | patient
    assert guarded.post("/v1/drafts/x/fill-in", headers=doctor).status_code == 404


def test_an_unknown_role_in_the_header_is_refused(client: TestClient, case: dict[str, Any]) -> None:
    assert client.post(DDX, json=case, headers={"X-Actor-Role": "banana"}).status_code == 422


def test_the_audit_is_for_auditors_and_holds_no_text(
    client: TestClient, case: dict[str, Any]
) -> None:
    client.post(DDX, params={"wait": True}, json=case)
    assert client.get("/v1/audit").status_code == 403
    auditor = {"X-Actor-Id": "aud-1", "X-Actor-Role": "auditor"}
    rows = client.get("/v1/audit", headers=auditor)
    assert {"request.submit", "draft.add"} <= {r["action"] for r in rows.json()}
    for secret in ("测试甲", "pat-1", "enc-1", "咳嗽"):
        assert secret not in rows.text
    verified = client.get("/v1/audit/verification", headers=auditor).json()
    assert verified["ok"] is True


def test_readiness_generates_for_real(client: TestClient) -> None:
    for _ in range(100):
        answer = client.get("/readyz")
        if answer.status_code == 200:
            break
    assert answer.json()["ready"] is True
    assert answer.json()["engines"][0]["demo_only"] is True


def test_asking_for_readiness_often_generates_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def counting(slot: Any) -> engines.Probe:
        asked.append(slot.name)
        return engines.Probe("ready", "")

    monkeypatch.setattr(engines, "_probe", counting)
    slots = client.app.state.services.engines.slots  # type: ignore[attr-defined]
    while slots["demo"].state == "loading":
        pass
    for _ in range(5):
        assert client.get("/readyz").status_code == 200
    assert asked == ["demo"]


def test_dead_workers_are_not_ready(client: TestClient) -> None:
    jobs = client.app.state.services.jobs  # type: ignore[attr-defined]
    jobs.workers.tasks[0].cancel()
    for _ in range(100):
        answer = client.get("/readyz")
        if not answer.json()["workers"]:
            break
    assert answer.status_code == 503
    assert answer.json()["workers"] is False


def test_a_store_that_does_not_answer_is_not_ready(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(status: str) -> int:
        raise DatabaseFailed("down")

    store = client.app.state.services.store  # type: ignore[attr-defined]
    monkeypatch.setattr(store.requests, "count", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["store"] is False


def test_a_method_that_is_none_becomes_no_label(client: TestClient) -> None:
    client.request("ZHANGSAN-PAT", "/healthz")
    text = client.get("/metrics").text
    assert "ZHANGSAN" not in text
    assert 'method="other"' in text


def test_metrics_carry_route_templates_not_ids(client: TestClient) -> None:
    client.get("/v1/drafts/secret-id", headers={"X-Patient-Id": "pat-1"})
    text = client.get("/metrics").text
    assert 'route="/v1/drafts/{draft_id}"' in text
    assert "secret-id" not in text
    assert "bedside_engine_ready" in text


def test_the_docs_page_loads_from_this_server_only(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "http://" not in page.replace("http://127.0.0.1", "")
    assert "https://" not in page
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"/docs/{name}" in page
        assert client.get(f"/docs/{name}").status_code == 200
    assert client.get("/docs/..%2f..%2fsecret").status_code == 404


def test_every_route_of_work_has_an_example(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path in (DDX, "/v1/discharge-records", "/v1/answers"):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        assert content["application/json"]["examples"]


def test_the_examples_in_the_document_work(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    for path in (DDX, "/v1/discharge-records", "/v1/answers"):
        content = document["paths"][path]["post"]["requestBody"]["content"]
        for example in content["application/json"]["examples"].values():
            answer = client.post(path, params={"wait": True}, json=example["value"])
            assert answer.status_code == 200
            assert answer.json()["status"] == "finished"
