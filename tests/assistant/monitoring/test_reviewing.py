"""The week's figures, and its sample on the form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from monitored_ward import Ward

from assistant.monitoring.form import quality_form
from assistant.monitoring.reviewing import span_of, week_of
from assistant.store import SYSTEM, InvalidArgument

ZHAO = {"X-Actor-Id": "zhao-wei", "X-Actor-Role": "doctor"}
QIAN = {"X-Actor-Id": "qian-min", "X-Actor-Role": "doctor"}
PATIENT = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}


def scores(**changed: Any) -> dict[str, Any]:
    given = {item.id: 4 for item in quality_form().items}
    return given | {"stigmatizing": 1, "synthesized": None} | changed


def test_a_week_counts_what_doctors_did_and_what_reviewers_said(
    ward: Ward, case: dict[str, Any]
) -> None:
    ward.approve()
    first = ward.ask(case)["id"]
    others = ward.repeat(first, 11)
    client = ward.client
    for draft, verdict in ((first, "like"), (others[0], "dislike"), (others[1], "error")):
        body = {"draft_id": draft, "verdict": verdict}
        assert client.post("/v1/feedback", headers=PATIENT, json=body).status_code == 201

    week = week_of(datetime.now(UTC))
    sample = client.get("/v1/monitoring/sample", params={"week": week}, headers=ZHAO).json()
    assert len(sample) == ward.settings.monitoring.sample
    again = client.get("/v1/monitoring/sample", params={"week": week}, headers=QIAN).json()
    assert [d["draft_id"] for d in again] == [d["draft_id"] for d in sample]
    given = {ZHAO["X-Actor-Id"]: (5, 4, 3), QIAN["X-Actor-Id"]: (5, 4, 2)}
    for who in (ZHAO, QIAN):
        for drawn, accurate in zip(sample, given[who["X-Actor-Id"]], strict=False):
            body = {"draft_id": drawn["draft_id"], "week": week}
            kept = client.post(
                "/v1/monitoring/reviews",
                headers=who,
                json=body | {"scores": scores(accurate=accurate)},
            )
            assert kept.status_code == 201, kept.text

    drawn = sample[0]["draft_id"]
    read = client.get(f"/v1/monitoring/sample/{drawn}", params={"week": week}, headers=ZHAO).json()
    assert read["record"]["chief_complaint"] == case["chief_complaint"]
    assert read["text"]
    assert "model" not in read
    reads = ward.store.audit.list(patient_id="pat-1")
    assert ("draft.read_for_review", "zhao-wei") in [(r.action, r.actor_id) for r in reads]

    found = {a["item"]: a for a in client.get("/v1/monitoring/agreement").json()}
    assert 0 < found["accurate"]["kappa"] < 1
    assert 0 < found["accurate"]["icc"] < 1
    assert (found["accurate"]["drafts"], found["accurate"]["pairs"]) == (3, 1)
    assert found["synthesized"]["kappa"] is None

    (now,) = client.get("/v1/monitoring/figures").json()
    assert (now["week"], now["task"], now["drafts"]) == (week, "differential_diagnosis", 12)
    assert now["figures"]["disliked"]["mean"] == pytest.approx(
        1 / now["figures"]["disliked"]["drafts"]
    )
    assert now["figures"]["reported"]["mean"] == now["figures"]["disliked"]["mean"]
    assert now["figures"]["unsupported_share"]["drafts"] == 12
    assert now["figures"]["review_score"]["drafts"] == 3
    assert now["drift"] == {}, "there is no week before it"

    # A purge takes the reviews with the drafts.
    ward.store.purge_patient("pat-1", SYSTEM)
    assert ward.store.quality_reviews.list(quality_form().name) == []
    assert client.get("/v1/monitoring/figures").json() == []


def test_who_reviews_and_what(ward: Ward, case: dict[str, Any]) -> None:
    draft = ward.ask(case)["id"]
    week = week_of(datetime.now(UTC))
    client = ward.client
    url = "/v1/monitoring/reviews"
    body = {"draft_id": draft, "week": week, "scores": scores()}
    assert client.post(url, json=body).status_code == 403, "nobody's own name"
    nurse = ZHAO | {"X-Actor-Role": "nurse"}
    assert client.post(url, json=body, headers=nurse).status_code == 403
    for wrong in (scores(accurate=6), scores(accurate=None), scores(unheard_of=1)):
        refused = client.post(url, json=body | {"scores": wrong}, headers=ZHAO)
        assert refused.status_code == 422
    assert (
        "准确"
        in client.post(url, json=body | {"scores": scores(accurate=6)}, headers=ZHAO).json()[
            "detail"
        ]
    )
    other_week = body | {"week": "2020-W10"}
    assert client.post(url, json=other_week, headers=ZHAO).status_code == 404
    assert client.post(url, json=body, headers=ZHAO).status_code == 201
    assert client.post(url, json=body, headers=ZHAO).status_code == 422, "twice"


def test_a_week_is_one_of_the_calendar() -> None:
    start, end = span_of("2026-W09")
    assert (week_of(start), (end - start).days) == ("2026-W09", 7)
    assert week_of(end) == "2026-W10"
    for wrong in ("2026-W60", "0000-W01", "0001-W01", "9999-W52"):
        with pytest.raises(InvalidArgument):
            span_of(wrong)


def test_the_form_has_nine_items_and_says_where_it_is_from() -> None:
    form = quality_form()
    assert len(form.items) == 9
    assert "Croxford" in form.source
    assert form.mean(scores()) == 4
