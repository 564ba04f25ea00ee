"""Earlier drafts of the patient in front, listed and opened as they were left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.api.context import DEMO_ACTOR, Services
from assistant.settings import KNOWLEDGE_MEMBER
from assistant.store import Context, RequestNotFound
from assistant.tasks.differential.ui import state as cases
from assistant.tasks.differential.ui.state import CaseWork
from assistant.tasks.discharge.ui import state as stays
from assistant.tasks.discharge.ui.state import StayWork
from assistant.tasks.structuring.ui import state as notes
from assistant.ui.earlier import earlier_html, look_up, reopen
from assistant.ui.strings import Text

ZH = Text("zh")
HERE = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
OWN = Context(DEMO_ACTOR, "doctor", "pat-1", "enc-1")


def parts_of(client: TestClient) -> Services:
    parts: Services = client.app.state.services  # type: ignore[attr-defined]
    return parts


def call(client: TestClient, function: Callable[..., Awaitable[Any]], *arguments: object) -> Any:
    """Await in the client's own loop, since the browser's tests keep one in this thread."""
    assert client.portal is not None
    return client.portal.call(function, *arguments)


def run(client: TestClient, case: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/v1/differential-diagnoses?wait=true", json=case)
    assert answer.status_code == 200
    made: dict[str, Any] = answer.json()
    return made


def test_a_case_is_opened_as_it_was_left(client: TestClient, case: dict[str, Any]) -> None:
    made = run(client, case)
    baseline = next(d for d in made["drafts"] if d["member"] == KNOWLEDGE_MEMBER)
    other = next(d for d in made["drafts"] if d["member"] == "甲")
    decided = other["diagnoses"][0]["name_statement"]["id"]
    client.post(
        f"/v1/drafts/{other['id']}/resolutions",
        headers=HERE,
        json={"statement_id": decided, "action": "confirmed"},
    )
    for verdict in ("like", "error"):
        body = {"draft_id": baseline["id"], "verdict": verdict}
        client.post("/v1/feedback", headers=HERE, json=body)
    filled = client.post(f"/v1/drafts/{baseline['id']}/fill-in", headers=HERE).json()
    signed = filled["text"] + "。"
    client.post(f"/v1/drafts/{baseline['id']}/signature", headers=HERE, json={"text": signed})

    parts = parts_of(client)
    runs = call(client, look_up, parts, OWN, "differential_diagnosis")
    (only,) = runs.runs
    assert (only.request_id, only.status, only.drafts) == (made["id"], "finished", 3)
    assert (only.accepted, only.signed, only.stale) == (1, 1, False)
    listed = earlier_html(runs, CaseWork(), ZH)
    assert "3 份草稿 · 已回填 1 · 已签署 1" in listed
    assert earlier_html(runs, CaseWork(request_id=made["id"]), ZH) == ""

    work = call(client, reopen, parts, OWN, made["id"], cases.KIND)
    assert work.case is not None
    assert work.case.chief_complaint == case["chief_complaint"]
    assert (work.state, work.overtaken) == ("finished", False)
    assert [f.text for f in work.findings]
    shown = work.shown[KNOWLEDGE_MEMBER]
    assert (shown.verdict, shown.reports) == ("like", 1)
    assert shown.filled is not None
    assert shown.filled.text == signed
    assert set(shown.filled.fields) == set(filled["fields"])
    assert shown.signed is not None
    assert shown.signed[0] == 1
    assert work.filled_by == KNOWLEDGE_MEMBER
    assert work.shown["甲"].resolutions[decided].action == "confirmed"
    assert work.shown["甲"].filled is None


def test_looking_again_accepts_nothing(client: TestClient, case: dict[str, Any]) -> None:
    made = run(client, case)
    call(client, reopen, parts_of(client), OWN, made["id"], cases.KIND)
    drafts = client.get("/v1/drafts", headers=HERE).json()
    assert {d["accepted_at"] for d in drafts} == {None}


def test_a_fill_in_that_the_doctor_has_overruled_is_not_shown(
    client: TestClient, case: dict[str, Any]
) -> None:
    made = run(client, case)
    draft = next(d for d in made["drafts"] if d["member"] == KNOWLEDGE_MEMBER)
    client.post(f"/v1/drafts/{draft['id']}/fill-in", headers=HERE)
    statement = draft["diagnoses"][0]["supporting"][0]["id"]
    body = {"statement_id": statement, "action": "deleted"}
    client.post(f"/v1/drafts/{draft['id']}/resolutions", headers=HERE, json=body)
    work = call(client, reopen, parts_of(client), OWN, made["id"], cases.KIND)
    assert work.shown[KNOWLEDGE_MEMBER].filled is None


def test_nobody_elses_drafts_are_listed_or_opened(client: TestClient, case: dict[str, Any]) -> None:
    made = run(client, case)
    parts = parts_of(client)
    for patient, encounter in (("pat-2", "enc-1"), ("pat-1", "enc-2")):
        other = Context(DEMO_ACTOR, "doctor", patient, encounter)
        assert (call(client, look_up, parts, other, "differential_diagnosis")).runs == []
        with pytest.raises(RequestNotFound):
            call(client, reopen, parts, other, made["id"], cases.KIND)
    with pytest.raises(RequestNotFound):
        call(client, reopen, parts, OWN, made["id"], stays.KIND)
    refused = [row for row in parts.store.audit.list() if row.action == "request.read_refused"]
    assert len(refused) == 2


def test_drafts_of_an_older_record_are_said_to_be(client: TestClient, case: dict[str, Any]) -> None:
    first = run(client, case)
    run(client, {**case, "chief_complaint": "发热、咳嗽4天"})
    parts = parts_of(client)
    runs = call(client, look_up, parts, OWN, "differential_diagnosis")
    assert [run.stale for run in runs.runs] == [False, True]
    assert "病历已改动" in earlier_html(runs, CaseWork(), ZH)
    assert (call(client, reopen, parts, OWN, first["id"], cases.KIND)).overtaken


def test_a_stay_is_opened_with_its_header_and_sections(
    client: TestClient, encounter: dict[str, Any]
) -> None:
    answer = client.post("/v1/discharge-records?wait=true", json={"encounter": encounter})
    made = answer.json()
    context = Context(DEMO_ACTOR, "doctor", encounter["patient"]["id"], encounter["id"])
    work: StayWork = call(client, reopen, parts_of(client), context, made["id"], stays.KIND)
    assert work.header is not None
    assert work.header.patient_name == encounter["patient"]["name"]
    assert len(work.shown) == 5
    assert work.notes()


def test_structured_notes_are_opened_with_their_text(client: TestClient) -> None:
    body = {"text": "发热、咳嗽3天，考虑肺炎。", "patient_id": "pat-1"}
    made = client.post("/v1/structured-notes", json=body).json()
    context = Context(DEMO_ACTOR, "doctor", "pat-1")
    runs = call(client, look_up, parts_of(client), context, "structured_notes")
    assert [run.request_id for run in runs.runs] == [made["id"]]
    work = call(client, reopen, parts_of(client), context, made["id"], notes.KIND)
    assert work.state == "finished"
    assert work.request is not None
    assert work.request.notes[0].text == body["text"]
    assert work.result is not None
    assert work.result.patient.problems[0].name == made["patient"]["problems"][0]["name"]
    with pytest.raises(RequestNotFound):
        call(client, reopen, parts_of(client), context, made["id"], cases.KIND)
