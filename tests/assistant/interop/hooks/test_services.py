"""Discovery and calls, in the shape of the specification."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from fhir_standin import about, bundle, call, drug, patient, prefetch
from starlette.testclient import TestClient

from assistant.interop.hooks.message import Card
from assistant.interop.settings import HookSettings

SIGN = "/cds-services/bedside-order-sign"
VIEW = "/cds-services/bedside-patient-view"


@pytest.fixture(scope="module")
def guarded(serve: Callable[[HookSettings], TestClient]) -> TestClient:
    """Nobody may call without a token or a key."""
    return serve(HookSettings(card_seconds=60))


def signing(*orders: dict[str, Any], sent: dict[str, Any] | None = None) -> dict[str, Any]:
    return call("order-sign", sent, draftOrders=bundle(*orders))


def draft(key: str, name: str, patient_id: str = "pat-1") -> dict[str, Any]:
    return drug(key, name, patient_id, "draft")


def test_the_services_are_listed_for_anybody(guarded: TestClient) -> None:
    answer = guarded.get("/cds-services", headers={"Origin": "https://emr.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    listed = answer.json()["services"]
    assert {s["hook"] for s in listed} >= {
        "patient-view",
        "order-select",
        "order-sign",
        "encounter-start",
        "encounter-discharge",
    }
    for service in listed:
        assert {"id", "hook", "title", "description", "prefetch"} <= service.keys()
        assert "{{context.patientId}}" in service["prefetch"]["patient"]
    ours = [s["hook"] for s in listed if "note" in s["hook"]]
    assert ours
    assert all("." in hook for hook in ours), "the form noun-verb is for the standard's own hooks"


def test_a_draft_order_that_is_allergic_gives_a_card(hooks: TestClient) -> None:
    answer = hooks.post(SIGN, json=signing(draft("rx1", "注射用阿莫西林钠克拉维酸钾")))
    assert answer.status_code == 200
    (card,) = answer.json()["cards"]
    Card.model_validate(card)
    assert card["indicator"] == "critical"
    assert len(card["summary"]) <= 140
    assert "青霉素" in card["detail"]
    assert card["source"]["topic"]["code"] == "allergy"
    assert card["overrideReasons"]
    assert card["selectionBehavior"] == "any"
    (action,) = card["suggestions"][0]["actions"]
    assert (action["type"], action["resourceId"]) == ("delete", "MedicationRequest/rx1")


def test_an_order_that_is_fine_gives_none(hooks: TestClient) -> None:
    answer = hooks.post(SIGN, json=signing(draft("rx1", "左氧氟沙星片")))
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


def test_only_the_selected_orders_are_spoken_of(hooks: TestClient) -> None:
    orders = bundle(draft("rx1", "注射用青霉素钠"), draft("rx2", "氨溴索片"))
    for selected, count in (("MedicationRequest/rx1", 1), ("MedicationRequest/rx2", 0)):
        body = call("order-select", draftOrders=orders, selections=[selected])
        answer = hooks.post("/cds-services/bedside-order-select", json=body)
        assert len(answer.json()["cards"]) == count


def test_a_draft_order_is_held_against_what_is_given(hooks: TestClient) -> None:
    sent = prefetch("一般情况可。", "华法林钠片")
    answer = hooks.post(SIGN, json=signing(draft("rx1", "氟康唑胶囊"), sent=sent))
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "warning"
    assert "华法林" in card["summary"]


def test_the_saved_note_is_read(hooks: TestClient) -> None:
    body = call(
        "bedside.note-save",
        prefetch("既往史：青霉素过敏。"),
        noteId="n9",
        noteType="病程记录",
        noteText="予青霉素静滴抗感染。",
    )
    answer = hooks.post("/cds-services/bedside-note-save", json=body)
    assert [c["source"]["topic"]["code"] for c in answer.json()["cards"]] == ["allergy"]


def test_what_is_wrong_in_the_saved_note_is_said(hooks: TestClient) -> None:
    body = call(
        "bedside.note-save",
        prefetch("一般情况可。"),
        noteId="n9",
        noteType="病程记录",
        noteText="患者今日血压 80/130mmHg，继续观察，XX天后复查。",
    )
    cards = hooks.post("/cds-services/bedside-note-save", json=body).json()["cards"]
    topics = {card["source"]["topic"]["code"]: card for card in cards}
    assert {"qc.impossible_value", "qc.template_remnant"} <= topics.keys()
    assert not {"qc.missing_signature", "qc.missing_note", "qc.late_note"} & topics.keys()
    assert "80/130" in topics["qc.impossible_value"]["detail"]
    assert topics["qc.impossible_value"]["overrideReasons"]


def test_a_chart_without_a_stay_gets_no_cards(hooks: TestClient) -> None:
    sent = prefetch() | {"encounters": bundle()}
    answer = hooks.post(VIEW, json=call("patient-view", sent, encounterId=None))
    assert (answer.status_code, answer.json()) == (200, {"cards": []})


@pytest.mark.parametrize(
    "change",
    [
        {"hook": "order-sign"},
        {"hookInstance": "no uuid"},
        {"context": None},
        {"context": {"userId": "Patient/1", "patientId": "pat-1"}},
        {"context": {"userId": "Practitioner/1", "patientId": "../secret"}},
        {"prefetch": {"patient": "Patient/1"}},
        {"prefetch": []},
        {"fhirAuthorization": {"access_token": "x"}},
    ],
)
def test_a_call_that_is_none_is_400(hooks: TestClient, change: dict[str, Any]) -> None:
    answer = hooks.post(VIEW, json=call("patient-view") | change)
    assert answer.status_code == 400
    assert "secret" not in answer.text


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"\xff\xfe", b"null", b"[" * 100_000])
def test_what_is_no_json_is_400(hooks: TestClient, body: bytes) -> None:
    assert hooks.post(VIEW, content=body).status_code == 400


def test_an_unknown_service_is_404(hooks: TestClient) -> None:
    assert hooks.post("/cds-services/none", json=call("patient-view")).status_code == 404


def test_without_data_it_is_412(hooks: TestClient) -> None:
    for patient_resource in (None, {"resourceType": "OperationOutcome", "issue": []}):
        sent = prefetch() | {"patient": patient_resource}
        answer = hooks.post(VIEW, json=call("patient-view", sent))
        assert answer.status_code == 412


@pytest.mark.parametrize(
    "sent",
    [
        prefetch() | {"patient": patient("pat-2")},
        prefetch() | {"medications": bundle(drug("m1", "青霉素", "pat-2"))},
        prefetch() | {"documents": bundle(bundle(about("DocumentReference", "x", "pat-2")))},
    ],
)
def test_a_prefetch_of_another_patient_gives_no_card(
    hooks: TestClient, sent: dict[str, Any]
) -> None:
    answer = hooks.post(VIEW, json=call("patient-view", sent))
    assert answer.status_code == 400
    assert "cards" not in answer.json()
    store = hooks.app.state.services.store  # type: ignore[attr-defined]
    assert "hook.refused" in {row.action for row in store.audit.list(patient_id="pat-1")}


def test_draft_orders_of_another_patient_give_no_card(hooks: TestClient) -> None:
    answer = hooks.post(SIGN, json=signing(draft("rx1", "注射用青霉素钠", "pat-2")))
    assert answer.status_code == 400


def test_resources_that_cannot_be_read_are_412(
    hooks: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.interop.hooks import charts

    def broken(*args: Any) -> Any:
        raise KeyError("青霉素过敏")

    monkeypatch.setattr(charts, "read_chart", broken)
    answer = hooks.post(VIEW, json=call("patient-view", prefetch("另一份病历。")))
    assert answer.status_code == 412
    assert "青霉素" not in answer.text


def test_a_service_is_posted_to(hooks: TestClient) -> None:
    for path in (VIEW, f"{VIEW}/feedback"):
        answer = hooks.get(path)
        assert (answer.status_code, "POST" in answer.headers["allow"]) == (405, True), path
    assert hooks.get("/cds-services/none").status_code == 404
    assert hooks.post("/cds-services").status_code == 405


def test_a_changed_chart_is_read_anew(hooks: TestClient) -> None:
    order = draft("rx1", "注射用青霉素钠")
    for note, count in (("一般情况可。", 0), ("既往史：青霉素过敏。", 1), ("一般情况可。", 0)):
        answer = hooks.post(SIGN, json=signing(order, sent=prefetch(note)))
        assert len(answer.json()["cards"]) == count, note


def test_an_edited_rule_holds_at_the_next_call(hooks: TestClient) -> None:
    home = hooks.app.state.services.settings.home  # type: ignore[attr-defined]
    body = signing(draft("rx1", "注射用青霉素钠"), sent=prefetch("青霉素过敏史。"))
    assert len(hooks.post(SIGN, json=body).json()["cards"]) == 1
    own = home / "alerts" / "own.yaml"
    own.parent.mkdir()
    own.write_text("- {id: allergy, enabled: false}\n", encoding="utf-8")
    try:
        assert hooks.post(SIGN, json=body).json()["cards"] == []
    finally:
        own.unlink()
        own.parent.rmdir()
    assert len(hooks.post(SIGN, json=body).json()["cards"]) == 1


def test_many_calls_at_once_each_get_their_own_cards(hooks: TestClient) -> None:
    from concurrent.futures import ThreadPoolExecutor

    names = [("注射用青霉素钠", 1), ("氨溴索片", 0)] * 8

    def ask(number: int) -> int:
        note = f"既往史：青霉素过敏。第{number}份。"
        body = signing(draft(f"rx{number}", names[number][0]), sent=prefetch(note))
        cards = hooks.post(SIGN, json=body).json()["cards"]
        ids = [a["resourceId"] for c in cards for s in c["suggestions"] for a in s["actions"]]
        assert ids in ([], [f"MedicationRequest/rx{number}"])
        return len(cards)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(len(names)))) == [count for _, count in names]


def test_the_audit_names_the_user_and_the_application(hooks: TestClient) -> None:
    hooks.post(VIEW, json=call("patient-view"))
    store = hooks.app.state.services.store  # type: ignore[attr-defined]
    row = next(r for r in store.audit.list(limit=200) if r.action == "hook.patient-view")
    assert (row.actor_id, row.object_type) == ("doc-1", "app:local")


def test_nobody_calls_without_being_known(guarded: TestClient) -> None:
    answer = guarded.post(VIEW, json=call("patient-view"))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_unsecured_is_for_this_machine_only(hooks: TestClient) -> None:
    forwarded = {"X-Forwarded-For": "10.0.0.9"}
    assert hooks.post(VIEW, json=call("patient-view"), headers=forwarded).status_code == 401


def test_an_api_key_may_call(guarded: TestClient) -> None:
    store = guarded.app.state.services.store  # type: ignore[attr-defined]
    for role, status in (("system", 200), ("doctor", 200), ("auditor", 403)):
        _, secret = store.api_keys.create("emr", role, "test")
        headers = {"Authorization": f"Bearer {secret}"}
        assert guarded.post(VIEW, json=call("patient-view"), headers=headers).status_code == status
    wrong = {"Authorization": "Bearer bsk_wrong_wrong"}
    assert guarded.post(VIEW, json=call("patient-view"), headers=wrong).status_code == 401


def test_a_browser_of_a_listed_origin_may_call(hooks: TestClient) -> None:
    open_settings = hooks.app.state.services.settings  # type: ignore[attr-defined]
    open_settings.hooks.origins.append("https://emr.example")
    for origin, allowed in (("https://emr.example", True), ("https://evil.example", False)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        answer = hooks.options(VIEW, headers=asked)
        assert (answer.headers.get("access-control-allow-origin") == origin) is allowed


def test_a_rule_that_takes_long_does_not_hold_the_card(
    hooks: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_settings = hooks.app.state.services.settings  # type: ignore[attr-defined]
    import threading

    from assistant.interop.hooks import answering

    gate = threading.Event()
    real = answering.alerts_of

    def slow(*args: Any, **named: Any) -> Any:
        gate.wait(30)
        return real(*args, **named)

    monkeypatch.setattr(answering, "alerts_of", slow)
    open_settings.hooks.card_seconds = 0.2
    body = signing(draft("rx1", "注射用青霉素钠"))
    assert hooks.post(SIGN, json=body).json() == {"cards": []}
    gate.set()
    open_settings.hooks.card_seconds = 60
    assert len(hooks.post(SIGN, json=body).json()["cards"]) == 1


def test_a_draft_order_without_an_id_is_checked_too(hooks: TestClient) -> None:
    order = {k: v for k, v in draft("", "注射用阿莫西林钠克拉维酸钾").items() if k != "id"}
    answer = hooks.post(SIGN, json=signing(order))
    assert answer.status_code == 200
    (card,) = answer.json()["cards"]
    assert card["indicator"] == "critical"
    assert not card.get("suggestions"), "nothing names the order that could be removed"
