"""A floor that breaks takes the approval back, and a named person gives it again."""

from __future__ import annotations

from typing import Any

import pytest
from monitored_ward import Ward
from pydantic import ValidationError

from assistant.monitoring import latest
from assistant.monitoring.form import quality_form
from assistant.monitoring.model_way import model_ways
from assistant.monitoring.settings import Floor
from assistant.store import ApprovalNotFound, InvalidArgument
from assistant.store.monitored import monitored
from assistant.ui.model_ways import ways
from assistant.ui.strings import Text

ADMIN = {"X-Actor-Id": "li-pharmacist", "X-Actor-Role": "admin"}


def check(ward: Ward) -> list[dict[str, Any]]:
    answer = ward.client.post("/v1/monitoring/check", headers=ADMIN)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def stage(ward: Ward) -> dict[str, Any]:
    models = ward.client.get("/v1/monitoring/models").json()
    found: dict[str, Any] = next(m for m in models if m["engine"] == "ward")
    return found


def test_a_broken_floor_returns_the_approval_until_a_person_gives_it_again(
    ward: Ward, case: dict[str, Any]
) -> None:
    ward.ask(case)  # before there was an approval: counts for nothing
    assert stage(ward)["stage"] == "configured"
    given = ward.approve()
    first = ward.ask(case)
    assert first["approved"]
    ward.repeat(first["id"], 3)
    (few,) = check(ward)
    assert (few["drafts"], few["holds"], few["returned"]) == (4, None, [])
    assert stage(ward)["stage"] == "monitored"

    assert ward.ask(case)["approved"]
    (broken,) = check(ward)
    assert broken["holds"] is False
    assert broken["mean"] > 0, "the echo engine's filler has no evidence"
    assert broken["returned"] == [given.id]
    draft = ward.ask(case)
    assert (draft["approved"], draft["demo_only"]) == (False, True)
    listed = ward.client.get("/v1/approvals").json()[0]
    assert [s["step"] for s in listed["steps"]] == ["returned"]
    assert (listed["holds_for"], listed["revoked_at"]) == ([], None)
    assert "unsupported_share" in listed["steps"][0]["reason"]
    assert check(ward) == []
    shown = ways(model_ways(ward.parts), Text("zh"))
    for said in ("已退回仅供演示", "王主任", "unsupported_share"):
        assert said in shown

    ward.store.approvals.reinstate(given.id, by="李药师", reason="已复核样本")
    assert ward.ask(case)["approved"]
    (anew,) = check(ward)
    assert (anew["drafts"], anew["holds"]) == (1, None), "the drafts before are not counted again"
    way = [(s["name"], s["by"]) for s in stage(ward)["way"]]
    assert way[-4:] == [
        ("approved", "王主任"),
        ("returned", "monitoring"),
        ("approved", "李药师"),
        ("monitored", ""),
    ]
    actions = [(r.action, r.actor_id) for r in ward.store.audit.list(object_id=given.id)]
    assert actions == [
        ("approval.reinstate", "李药师"),
        ("approval.return", "monitoring"),
        ("approval.approve", "王主任"),
    ]


def test_who_may_not_watch_is_told_so(ward: Ward) -> None:
    assert ward.client.post("/v1/monitoring/check").status_code == 403


@pytest.mark.parametrize("floors", [[Floor(figure="unsupported_share", at_most=1.0, drafts=5)]])
def test_a_floor_that_holds_returns_nothing(ward: Ward, case: dict[str, Any]) -> None:
    ward.approve()
    ward.repeat(ward.ask(case)["id"], 4)
    (one,) = check(ward)
    assert (one["holds"], one["returned"]) == (True, [])
    assert ward.ask(case)["approved"]


def test_only_what_is_returned_is_given_again_and_only_by_name(ward: Ward) -> None:
    given = ward.approve()
    with pytest.raises(ApprovalNotFound):
        ward.store.approvals.reinstate(given.id, by="李药师", reason="x")
    ward.store.approvals.give_back(given.id, "x", {})
    with pytest.raises(ApprovalNotFound):
        ward.store.approvals.give_back(given.id, "x", {})
    with pytest.raises(InvalidArgument):
        ward.store.approvals.reinstate(given.id, by=" ", reason="x")
    assert ward.store.approvals.in_force() == []


@pytest.mark.parametrize("limits", [{}, {"at_most": 1, "at_least": 0}, {"at_most": float("nan")}])
def test_a_floor_has_one_limit(limits: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Floor(figure="rejected", **limits)


@pytest.mark.parametrize(
    "floors",
    [
        [
            Floor(figure="unsupported_share", at_most=1.0, drafts=5),
            Floor(figure="disliked", at_most=1.0, drafts=5),
            Floor(figure="edit_share", at_most=1.0, drafts=5),
            Floor(figure="review_score", at_least=1.0, drafts=5),
        ]
    ],
)
def test_no_more_drafts_are_read_than_a_floor_needs(
    ward: Ward, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ward.approve()
    drafts = [ward.ask(case)["id"]]
    drafts += ward.repeat(drafts[0], 11)
    patient = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
    opinion = {"draft_id": drafts[2], "verdict": "dislike"}
    assert ward.client.post("/v1/feedback", headers=patient, json=opinion).status_code == 201
    scores = {item.id: 4 for item in quality_form().items} | {"stigmatizing": 1}
    ward.store.quality_reviews.add("zhao", "doctor", drafts[1], quality_form().name, scores)
    read: list[str] = []

    def counting(*given: Any, **chosen: Any) -> Any:
        found = monitored(*given, **chosen)
        read.extend(row.id for row in found)
        return found

    monkeypatch.setattr(latest, "monitored", counting)
    monkeypatch.setattr(latest, "PAGE", 2)
    judged = {one["floor"].rstrip("0123456789.<>="): one for one in check(ward)}
    told = {name: (one["drafts"], one["mean"]) for name, one in judged.items()}
    unsupported = told.pop("unsupported_share")
    assert unsupported[0] == 5
    assert told == {"disliked": (2, 0.5), "edit_share": (0, None), "review_score": (1, 4.0)}
    # Three pages of the newest, and those that were opened, disliked or scored.
    assert read.count(drafts[2]) == read.count(drafts[1]) == 1
    assert sorted(set(read)) == sorted([*drafts[6:], *drafts[:3]])
