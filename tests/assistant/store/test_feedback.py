from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from assistant.store import Context, DraftRow, IdempotencyConflict, InvalidArgument, Store

MakeDraft = Callable[..., DraftRow]


def test_feedback_comes_back_as_it_was_given(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft("发热3天，咳嗽。")
    store.feedback.add(
        context,
        row.id,
        "error",
        section="诊疗经过",
        span=(2, 4),
        quote="3天",
        comment="天数不对",
        correction="5天",
    )
    (found,) = store.feedback.list(context, row.id)
    assert (found.verdict, found.section) == ("error", "诊疗经过")
    assert (found.span_start, found.span_end, found.quote) == (2, 4, "3天")
    assert (found.comment, found.correction) == ("天数不对", "5天")
    assert (found.member, found.model, found.kind) == ("glm", "model-1", "discharge_record")


@pytest.mark.parametrize("span", [(-1, 2), (3, 2), (0, 10**6), (0, 2**31), (10**30, 10**31)])
def test_a_range_has_to_make_sense(
    store: Store, context: Context, draft: MakeDraft, span: tuple[int, int]
) -> None:
    with pytest.raises(InvalidArgument):
        store.feedback.add(context, draft().id, "error", span=span)


def test_an_unknown_verdict(store: Store, context: Context, draft: MakeDraft) -> None:
    with pytest.raises(InvalidArgument):
        store.feedback.add(context, draft().id, "meh")  # type: ignore[arg-type]


def test_another_patient_sees_no_feedback(
    store: Store, context: Context, other: Context, draft: MakeDraft
) -> None:
    row = draft()
    store.feedback.add(context, row.id, "like")
    assert not store.feedback.list(other)
    assert not store.feedback.list(other, row.id)


def test_a_doctor_who_thinks_again_counts_once(
    store: Store, context: Context, draft: MakeDraft
) -> None:
    row = draft()
    colleague = Context("doctor-2", "doctor", "patient-1", "encounter-1")
    store.feedback.add(context, row.id, "like")
    store.feedback.add(context, row.id, "dislike")
    store.feedback.add(context, row.id, "like", section="出院医嘱")
    store.feedback.add(colleague, row.id, "like")
    store.feedback.add(context, row.id, "error", comment="一")
    store.feedback.add(context, row.id, "error", comment="二")
    (summary,) = store.feedback.summary()
    assert (summary.likes, summary.dislikes, summary.errors) == (2, 1, 2)
    assert len(store.feedback.list(context)) == 5


def test_a_key_makes_one_feedback(store: Store, context: Context, draft: MakeDraft) -> None:
    row = draft()
    first = store.feedback.add(context, row.id, "error", comment="错", idempotency_key="k")
    again = store.feedback.add(context, row.id, "error", comment="错", idempotency_key="k")
    assert again.id == first.id
    assert len(store.feedback.list(context)) == 1
    with pytest.raises(IdempotencyConflict):
        store.feedback.add(context, row.id, "like", idempotency_key="k")


def test_the_summary_counts_by_member_and_model(
    store: Store, context: Context, draft: MakeDraft, clock: Any
) -> None:
    one, two = draft("发热3天"), draft("发热3天")
    draft(member="knowledge")
    clock.forward(seconds=10)
    store.drafts.sign(context, one.id, "发热5天")
    clock.forward(seconds=20)
    store.drafts.accept(context, two.id, "发热3天", 0)
    store.feedback.add(context, one.id, "like")
    glm, knowledge = store.feedback.summary()
    assert (glm.member, glm.model, glm.drafts, glm.accepted, glm.signed) == (
        "glm",
        "model-1",
        2,
        1,
        1,
    )
    assert (glm.mean_edit_distance, glm.mean_seconds_to_acceptance) == (1, 30)
    assert (knowledge.member, knowledge.drafts, knowledge.likes) == ("knowledge", 1, 0)
    assert knowledge.mean_edit_distance is None


def test_pages_give_all_feedback_once(store: Store, context: Context, draft: MakeDraft) -> None:
    row = draft()
    made = [store.feedback.add(context, row.id, "error").id for _ in range(5)]
    seen: list[str] = []
    before = None
    while page := store.feedback.list(context, before=before, limit=2):
        seen += [one.id for one in page]
        before = seen[-1]
    assert seen == made[::-1]
