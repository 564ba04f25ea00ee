"""What becomes of cards."""

from __future__ import annotations

import json
from typing import Any

from fhir_standin import bundle, call, drug, prefetch
from starlette.testclient import TestClient

from assistant.store import Context

SIGN = "/cds-services/bedside-order-sign"
DISCHARGE = "/cds-services/bedside-encounter-discharge"
AT = "2026-03-01T08:00:00Z"


def allergic_order(hooks: TestClient, name: str = "注射用青霉素钠") -> list[dict[str, Any]]:
    orders = bundle(drug("rx1", name, status="draft"))
    cards: list[dict[str, Any]] = hooks.post(
        SIGN, json=call("order-sign", draftOrders=orders)
    ).json()["cards"]
    return cards


def answered(card: dict[str, Any], outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "feedback": [{"card": card["uuid"], "outcome": outcome, "outcomeTimestamp": AT, **more}]
    }


def test_an_overridden_card_is_not_shown_again_until_the_facts_change(hooks: TestClient) -> None:
    (card,) = allergic_order(hooks)
    (again,) = allergic_order(hooks)
    assert again["uuid"] == card["uuid"], "the same card, not answered yet"
    reason = {"reason": card["overrideReasons"][0], "userComment": "皮试阴性，已告知"}
    told = answered(card, "overridden", overrideReason=reason)
    assert hooks.post(f"{SIGN}/feedback", json=told).status_code == 200
    assert allergic_order(hooks) == []
    (other,) = allergic_order(hooks, "注射用哌拉西林钠")
    assert other["uuid"] != card["uuid"], "another drug is another fact"
    store = hooks.app.state.services.store  # type: ignore[attr-defined]
    (rate,) = [rate for rate in store.cards.rates() if rate.rule == "allergy"]
    assert (rate.overridden, rate.override_rate) == (1, 1.0)
    actions = [row.action for row in store.audit.list(patient_id="pat-1")]
    assert "card.overridden" in actions
    taken = answered(other, "accepted", acceptedSuggestions=[{"id": "x"}])
    assert hooks.post(f"{SIGN}/feedback", json=taken).status_code == 200
    (rate,) = [rate for rate in store.cards.rates() if rate.rule == "allergy"]
    assert (rate.accepted, rate.override_rate) == (1, 0.5)
    _, secret = store.api_keys.create("head", "auditor", "test")
    counts = hooks.get("/v1/adoption", headers={"Authorization": f"Bearer {secret}"})
    (row,) = [row for row in counts.json()["rules"] if row["rule"] == "allergy"]
    code = card["overrideReasons"][0]["code"]
    assert (row["shown"], row["accepted"], row["overridden"]) == (2, 1, 1)
    assert row["reasons"] == {code: 1}
    assert "皮试" not in counts.text, "a doctor's own words stay with the card"


def test_feedback_on_what_is_not_there_is_404(hooks: TestClient) -> None:
    nothing = {"uuid": "01890a5d-ac96-774b-bcce-b302099a8057"}
    for path in (f"{SIGN}/feedback", "/cds-services/none/feedback"):
        assert hooks.post(path, json=answered(nothing, "accepted")).status_code == 404
    bad: list[Any] = [
        {},
        {"feedback": []},
        {"feedback": [{"card": "x"}]},
        [],
        answered(nothing, "no"),
    ]
    for body in bad:
        assert hooks.post(f"{SIGN}/feedback", json=body).status_code == 400


def test_a_card_of_one_service_or_application_is_not_anothers(hooks: TestClient) -> None:
    (card,) = allergic_order(hooks, "注射用氨苄西林钠")
    told = answered(card, "accepted")
    assert hooks.post(f"{DISCHARGE}/feedback", json=told).status_code == 404
    store = hooks.app.state.services.store  # type: ignore[attr-defined]
    _, secret = store.api_keys.create("other-emr", "system", "test")
    headers = {"Authorization": f"Bearer {secret}"}
    assert hooks.post(f"{SIGN}/feedback", json=told, headers=headers).status_code == 404


def test_a_draft_that_is_ready_has_a_card_and_its_feedback_is_kept(hooks: TestClient) -> None:
    store = hooks.app.state.services.store  # type: ignore[attr-defined]
    context = Context("doc-1", "doctor", "pat-1", "enc-1")
    row = store.requests.submit(context, "discharge_record", {"id": "enc-1"}, "hash-1")
    kept = store.drafts.add(
        context,
        row.id,
        "discharge_record",
        "",
        "hospital_course",
        {"text": "好转出院。", "draft": {}},
        record_hash="hash-1",
        model="m",
        prompt_version="p",
        knowledge_version="k",
    )
    body = call("encounter-discharge", prefetch("一般情况可。"))
    cards = hooks.post(DISCHARGE, json=body).json()["cards"]
    (card,) = [one for one in cards if one["indicator"] == "info" and one.get("links")]
    assert "出院记录" in card["summary"]
    assert "AI" in card["source"]["label"]
    assert card["links"][0]["type"] == "absolute"
    told = answered(card, "overridden", overrideReason={"userComment": "不完整"})
    assert hooks.post(f"{DISCHARGE}/feedback", json=told).status_code == 200
    (opinion,) = store.feedback.list(context)
    assert (opinion.draft_id, opinion.verdict, opinion.comment) == (kept.id, "dislike", "不完整")
    store.requests.cancel(context, row.id)


def test_nobody_sees_a_draft_of_another_stay(hooks: TestClient) -> None:
    store = hooks.app.state.services.store  # type: ignore[attr-defined]
    sent = json.loads(json.dumps(prefetch("一般情况可。")).replace("pat-1", "pat-7"))
    body = call("bedside.note-open", sent, patientId="pat-7", noteType="discharge_day")
    path = "/cds-services/bedside-note-open"
    for stay, count in (("enc-other", 0), ("enc-1", 1)):
        context = Context("doc-1", "doctor", "pat-7", stay)
        row = store.requests.submit(context, "discharge_record", {"id": "x"}, stay)
        store.drafts.add(
            context, row.id, "discharge_record", "", "orders", {"text": "x", "draft": {}},
            record_hash=stay, model="m", prompt_version="p", knowledge_version="k",
        )  # fmt: skip
        assert len(hooks.post(path, json=body).json()["cards"]) == count
        store.requests.cancel(context, row.id)
