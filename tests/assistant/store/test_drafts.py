from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from assistant.store import (
    AlreadySigned,
    Context,
    DraftNotFound,
    DraftRow,
    IdempotencyConflict,
    InvalidArgument,
    RequestNotFound,
    RequestRow,
    Store,
    UnresolvedStatements,
    draft_text,
    is_current,
)
from assistant.store.database import Database
from assistant.store.identifier import new_id

MakeDraft = Callable[..., DraftRow]


def test_a_draft_comes_back_as_it_was_made(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    made = draft("体温38.5℃")
    row = store.drafts.get(context, made.id)
    assert row.content == {"text": "体温38.5℃", "statements": []}
    assert draft_text(row) == "体温38.5℃"
    assert (row.member, row.section, row.model) == ("glm", "诊疗经过", "model-1")
    assert (row.prompt_version, row.knowledge_version) == ("p1", "k1")
    assert is_current(row, "hash-1")
    assert not is_current(row, "hash-2")


def test_only_its_own_patient_and_encounter_can_read_it(
    store: Store, context: Context, other: Context, draft: MakeDraft
) -> None:
    row = draft()
    wrong = [
        other,
        Context("doctor-1", "doctor", "patient-1"),
        Context("doctor-1", "doctor", "patient-1", "encounter-2"),
        Context("doctor-1", "doctor", ""),
    ]
    for context_ in wrong:
        for call in (
            lambda ctx: store.drafts.get(ctx, row.id),
            lambda ctx: store.drafts.resolutions(ctx, row.id),
            lambda ctx: store.drafts.accept(ctx, row.id, "text", 0),
            lambda ctx: store.drafts.sign(ctx, row.id, "text"),
            lambda ctx: store.drafts.resolve_statement(ctx, row.id, "1", "deleted"),
            lambda ctx: store.feedback.add(ctx, row.id, "like"),
        ):
            with pytest.raises(DraftNotFound) as caught:
                call(context_)
            # The same answer as for a draft that does not exist.
            assert str(caught.value) == str(DraftNotFound())
            assert store.audit.list(limit=1)[0].action == "draft.read_refused"
        assert not store.drafts.list(context_)
        assert not store.drafts.list(context_, row.request_id)
    assert store.drafts.get(context, row.id).accepted_text is None


def test_a_draft_without_encounter_is_read_in_any_encounter_of_the_patient(
    store: Store, submit: Callable[..., RequestRow], draft: MakeDraft, context: Context
) -> None:
    outpatient = Context("doctor-1", "doctor", "patient-1")
    row = draft(request=submit(ctx=outpatient))
    assert store.drafts.get(context, row.id).id == row.id
    assert [found.id for found in store.drafts.list(context)] == [row.id]


@pytest.mark.parametrize("draft_id", ["", "张三", "\ud800", pytest.param(new_id(), id="unknown")])
def test_an_unknown_draft(store: Store, context: Context, draft_id: str) -> None:
    with pytest.raises(DraftNotFound):
        store.drafts.get(context, draft_id)
    assert not store.feedback.list(context, draft_id)
    assert not store.drafts.list(context, draft_id)


def test_a_job_that_runs_again_doubles_nothing(
    store: Store, context: Context, submit: Callable[..., RequestRow], draft: MakeDraft
) -> None:
    request = submit()
    first = draft("第一次", request=request)
    assert draft("第二次", request=request).id == first.id
    assert draft("别的", member="knowledge", request=request).id != first.id
    assert draft("别的", section="出院医嘱", request=request).id != first.id
    assert len(store.drafts.list(context, request.id)) == 3
    assert draft_text(store.drafts.get(context, first.id)) == "第一次"


def test_a_draft_needs_a_request_of_the_same_patient(
    store: Store, other: Context, submit: Callable[..., RequestRow]
) -> None:
    request = submit()
    more = {"record_hash": "h", "model": "m", "prompt_version": "1", "knowledge_version": "1"}
    for context, request_id in ((other, request.id), (request.context, new_id())):
        with pytest.raises(RequestNotFound):
            store.drafts.add(context, request_id, "chat", "m", "", {"text": ""}, **more)


def test_a_draft_and_its_audit_row_come_together_or_not_at_all(
    store: Store,
    context: Context,
    submit: Callable[..., RequestRow],
    draft: MakeDraft,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = submit()
    rows = store.audit.verify().rows

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("no audit today")

    with monkeypatch.context() as patched:
        patched.setattr(store.audit, "append", breaks)
        with pytest.raises(RuntimeError):
            draft(request=request)
    assert not store.drafts.list(context, request.id)
    assert store.audit.verify().rows == rows + 1
    assert store.audit.verify().ok


def test_resolutions_are_kept_in_order(store: Store, context: Context, draft: MakeDraft) -> None:
    row = draft()
    store.drafts.resolve_statement(context, row.id, "s1", "deleted")
    store.drafts.resolve_statement(context, row.id, "s1", "restored")
    store.drafts.resolve_statement(context, row.id, "s2", "edited", "咳嗽5天")
    store.drafts.resolve_statement(context, row.id, "s1", "confirmed")
    found = store.drafts.resolutions(context, row.id)
    assert [(one.statement_id, one.action, one.text) for one in found] == [
        ("s1", "deleted", None),
        ("s1", "restored", None),
        ("s2", "edited", "咳嗽5天"),
        ("s1", "confirmed", None),
    ]


@pytest.mark.parametrize(
    ("action", "text"), [("praised", None), ("edited", None), ("deleted", "text")]
)
def test_a_resolution_has_to_make_sense(
    store: Store, context: Context, draft: MakeDraft, action: str, text: str | None
) -> None:
    with pytest.raises(InvalidArgument):
        store.drafts.resolve_statement(context, draft().id, "s1", action, text)  # type: ignore[arg-type]


def test_a_resolution_with_a_key_is_made_once(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft()
    first = store.drafts.resolve_statement(context, row.id, "s", "deleted", idempotency_key="k")
    again = store.drafts.resolve_statement(context, row.id, "s", "deleted", idempotency_key="k")
    assert again.id == first.id
    assert len(store.drafts.resolutions(context, row.id)) == 1
    with pytest.raises(IdempotencyConflict):
        store.drafts.resolve_statement(context, row.id, "s", "restored", idempotency_key="k")


def test_open_statements_refuse_the_fill_in(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft()
    with pytest.raises(UnresolvedStatements, match=r"2 statement") as caught:
        store.drafts.accept(context, row.id, "text", 2)
    assert caught.value.count == 2
    assert store.drafts.get(context, row.id).accepted_text is None
    assert "draft.accept_refused" in [entry.action for entry in store.audit.list()]


def test_the_time_to_the_first_fill_in_is_kept(
    store: Store, context: Context, draft: MakeDraft, clock: Any
) -> None:
    row = draft()
    clock.forward(seconds=90.5)
    assert store.drafts.accept(context, row.id, "一", 0).seconds_to_acceptance == 90.5
    clock.forward(seconds=60)
    again = store.drafts.accept(context, row.id, "二", 0)
    assert (again.accepted_text, again.seconds_to_acceptance) == ("二", 90.5)
    assert again.accepted_by == "doctor-1"


def test_the_signed_text_is_measured_against_the_accepted_one(
    store: Store, context: Context, draft: MakeDraft, clock: Any
) -> None:
    row = draft("发热3天")
    store.drafts.accept(context, row.id, "发热5天", 0)
    clock.forward(seconds=7)
    signed = store.drafts.sign(context, row.id, "发热5天，咳嗽")
    assert (signed.edit_distance, signed.signed_text) == (3, "发热5天，咳嗽")
    assert (signed.signed_by, signed.signed_at) == ("doctor-1", clock.now)


def test_without_a_fill_in_the_generated_text_is_the_measure(
    store: Store, context: Context, draft: MakeDraft, clock: Any
) -> None:
    row = draft("发热3天")
    clock.forward(seconds=30)
    signed = store.drafts.sign(context, row.id, "发热5天")
    assert signed.edit_distance == 1
    assert signed.accepted_at is None, "signed in the hospital's system, never filled in"
    assert signed.seconds_to_acceptance is None


def test_what_is_signed_does_not_change(store: Store, context: Context, draft: MakeDraft) -> None:
    row = draft()
    store.drafts.accept(context, row.id, "定稿", 0)
    store.drafts.sign(context, row.id, "定稿")
    assert store.drafts.sign(context, row.id, "定稿").signed_text == "定稿"
    for call in (
        lambda: store.drafts.sign(context, row.id, "改了"),
        lambda: store.drafts.accept(context, row.id, "改了", 0),
        lambda: store.drafts.resolve_statement(context, row.id, "s", "deleted"),
    ):
        with pytest.raises(AlreadySigned):
            call()
    assert store.drafts.get(context, row.id).signed_text == "定稿"


def submit_record(
    store: Store, context: Context, record: str, kind: Any = "discharge_record", **more: Any
) -> RequestRow:
    return store.requests.submit(context, kind, {"text": record}, record, **more)


def is_stale(store: Store, context: Context, row: DraftRow) -> bool:
    return store.drafts.get(context, row.id).stale_at is not None


def test_a_request_with_another_record_marks_older_drafts(
    store: Store, context: Context, other: Context, draft: MakeDraft, clock: Any
) -> None:
    row = draft()
    submit_record(store, context, "hash-1")
    submit_record(store, other, "hash-2")
    submit_record(store, context, "hash-2", "differential_diagnosis")
    submit_record(store, context, "hash-2", "chat")
    assert not is_stale(store, context, row)
    clock.forward(seconds=3)
    submit_record(store, context, "hash-2")
    assert store.drafts.get(context, row.id).stale_at == clock.now
    submit_record(store, context, "hash-1")
    assert not is_stale(store, context, row), "the record was changed back"


def test_a_draft_that_comes_after_the_record_changed_is_stale(
    store: Store, context: Context, submit: Callable[..., RequestRow], draft: MakeDraft
) -> None:
    slow = submit()
    submit_record(store, context, "hash-2")
    assert is_stale(store, context, draft(request=slow))


def test_an_old_request_sent_again_marks_nothing(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    old = submit_record(store, context, "hash-0", idempotency_key="k")
    row = draft()
    assert submit_record(store, context, "hash-0", idempotency_key="k").id == old.id
    assert not is_stale(store, context, row)


def test_pages_give_every_draft_once(
    store: Store, context: Context, submit: Callable[..., RequestRow], draft: MakeDraft
) -> None:
    request = submit()
    made = [draft(section=str(number), request=request).id for number in range(5)]
    seen: list[str] = []
    before = None
    while page := store.drafts.list(context, request.id, before=before, limit=2):
        seen += [row.id for row in page]
        before = seen[-1]
    assert seen == made[::-1]


def test_sql_in_a_text_is_only_text(store: Store, context: Context, draft: MakeDraft) -> None:
    nasty = "'); DROP TABLE drafts; -- \x00 \ud800 🙂"
    row = draft(nasty)
    text = store.drafts.get(context, row.id).content["text"]
    assert text == nasty.replace("\x00", "\ufffd").replace("\ud800", "\ufffd")
    assert isinstance(store.database, Database)
