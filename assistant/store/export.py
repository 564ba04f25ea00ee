"""Feedback as training data: what was preferred beside what was not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import or_, select

from assistant.store.audit import Audit
from assistant.store.context import SYSTEM, Context
from assistant.store.database import Database
from assistant.store.deidentify import Deidentifier
from assistant.store.drafts import draft_text
from assistant.store.models.draft import DraftRow
from assistant.store.models.feedback import FeedbackRow
from assistant.store.models.request import RequestRow

BATCH = 20
Source = Literal["signed", "accepted", "correction", "preference", "like", "dislike"]

Disguise = Callable[[tuple[str, str], dict[str, Any]], dict[str, Any]]
"""(patient and encounter id, the three texts) → the texts with others in the place of names."""


@dataclass(frozen=True, slots=True)
class _Pair:
    draft: DraftRow
    chosen: str | None
    rejected: str | None
    source: Source


@dataclass(frozen=True, slots=True)
class _Case:
    """A request with its drafts, each with the feedback on it."""

    request: RequestRow
    drafts: Sequence[tuple[DraftRow, Sequence[FeedbackRow]]]


class Export:
    """Reads the feedback of all patients."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def feedback_pairs(
        self,
        *,
        deidentify: bool = True,
        one_sided: bool = False,
        disguise: Disguise | None = None,
        actor: Context = SYSTEM,
    ) -> Iterator[dict[str, Any]]:
        """``prompt``, ``chosen``, ``rejected`` and where they come from, one draft after another.

        ``chosen`` is the signed, accepted, corrected or liked text, ``rejected`` the generated
        text that it stands against.  Where only one side is known (a like or dislike and nothing
        beside it) the other is None; such rows come with ``one_sided`` only.  With ``deidentify``
        the three texts hold no name, number or date that `Deidentifier` finds; ``disguise`` does
        it another way.

        The export leaves an audit row, before the first text leaves the database.
        """
        with self._database.write() as session:
            action = "feedback.export" if deidentify else "feedback.export_identified"
            self._audit.append(session, actor, action, "feedback")
        for case in self._cases():
            for pair in _pairs(case):
                row = _row(case, pair, deidentify, disguise)
                two_sided = row["chosen"] is not None and row["rejected"] is not None
                # Where only a number was corrected, both sides may read the same by now.
                if row["chosen"] != row["rejected"] and (two_sided or one_sided):
                    yield row

    def _cases(self) -> Iterator[_Case]:
        judged = select(DraftRow.request_id).where(
            or_(
                DraftRow.accepted_text.is_not(None),
                DraftRow.signed_text.is_not(None),
                DraftRow.id.in_(
                    select(FeedbackRow.draft_id).where(
                        FeedbackRow.draft_id.is_not(None), FeedbackRow.superseded.is_(False)
                    )
                ),
            )
        )
        last = ""
        # Short transactions: a long one would keep a purge from emptying the write-ahead log.
        while True:
            with self._database.read() as session:
                requests = session.scalars(
                    select(RequestRow)
                    .where(RequestRow.id > last, RequestRow.id.in_(judged))
                    .order_by(RequestRow.id)
                    .limit(BATCH)
                ).all()
                ids = [request.id for request in requests]
                drafts = session.scalars(
                    select(DraftRow).where(DraftRow.request_id.in_(ids)).order_by(DraftRow.id)
                ).all()
                feedback = session.scalars(
                    select(FeedbackRow)
                    .where(
                        FeedbackRow.draft_id.in_([draft.id for draft in drafts]),
                        FeedbackRow.superseded.is_(False),
                    )
                    .order_by(FeedbackRow.id)
                ).all()
            for request in requests:
                yield _Case(
                    request,
                    [
                        (draft, [row for row in feedback if row.draft_id == draft.id])
                        for draft in drafts
                        if draft.request_id == request.id
                    ],
                )
            if len(requests) < BATCH:
                return
            last = ids[-1]


def _pairs(case: _Case) -> Iterator[_Pair]:
    for draft, feedback in case.drafts:
        original = _generated(draft)
        verdicts = {row.verdict for row in feedback}
        better = list(_better_texts(draft, feedback, original))
        for text, source in better:
            yield _Pair(draft, text, original, source)
        if better:
            continue
        if verdicts & {"dislike", "error"}:
            liked = list(_liked_instead(case, draft))
            for text in liked:
                yield _Pair(draft, text, original, "preference")
            if not liked:
                yield _Pair(draft, None, original, "dislike")
        elif "like" in verdicts:
            yield _Pair(draft, original, None, "like")


def _better_texts(
    draft: DraftRow, feedback: Sequence[FeedbackRow], original: str
) -> Iterator[tuple[str, Source]]:
    corrected = original
    marked = [row for row in feedback if row.correction is not None]
    # From the end, so that a replacement does not move the ranges before it.
    for row in sorted(marked, key=lambda row: row.span_start or 0, reverse=True):
        correction = row.correction or ""
        start, end = row.span_start, row.span_end
        if start is None or end is None:
            yield correction, "correction"
        elif corrected[start:end] == row.quote and original[start:end] == row.quote:
            corrected = corrected[:start] + correction + corrected[end:]
    if corrected != original:
        yield corrected, "correction"
    if draft.signed_text is not None and draft.signed_text != original:
        yield draft.signed_text, "signed"
    elif draft.signed_text is None and draft.accepted_text not in (None, original):
        yield draft.accepted_text or "", "accepted"


def _liked_instead(case: _Case, disliked: DraftRow) -> Iterator[str]:
    """What the doctors liked of the same section from another member."""
    for draft, feedback in case.drafts:
        verdicts = {row.verdict for row in feedback}
        if (
            draft.id != disliked.id
            and draft.section == disliked.section
            and "like" in verdicts
            and not verdicts & {"dislike", "error"}
        ):
            yield _generated(draft)


def _generated(draft: DraftRow) -> str:
    text = draft_text(draft)
    return _as_text(draft.content) if text is None else text


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _row(
    case: _Case, pair: _Pair, deidentify: bool, disguise: Disguise | None = None
) -> dict[str, Any]:
    request, draft = case.request, pair.draft
    texts: dict[str, Any] = {
        "prompt": request.payload,
        "chosen": pair.chosen,
        "rejected": pair.rejected,
    }
    if disguise is not None:
        texts = disguise((request.patient_id, request.encounter_id), texts)
    elif deidentify:
        deidentifier = Deidentifier(identifiers=(request.patient_id, request.encounter_id))
        deidentifier.learn(list(texts.values()))
        texts = deidentifier.value(texts)
    return {
        "prompt": _as_text(texts["prompt"]),
        "chosen": texts["chosen"],
        "rejected": texts["rejected"],
        "kind": draft.kind,
        "section": draft.section,
        "member": draft.member,
        "model": draft.model,
        "prompt_version": draft.prompt_version,
        "knowledge_version": draft.knowledge_version,
        "source": pair.source,
    }
