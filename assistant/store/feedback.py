"""Feedback: likes, dislikes and errors that doctors report on drafts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from assistant.store.access import (
    find,
    known_id,
    made_before,
    page_size,
    page_start,
    visible,
    visible_rows,
)
from assistant.store.audit import Audit
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.drafts import draft_text
from assistant.store.errors import DraftNotFound, InvalidArgument
from assistant.store.identifier import new_id
from assistant.store.keyed_hash import KeyedHash
from assistant.store.models.draft import DraftRow
from assistant.store.models.feedback import FeedbackRow, Verdict
from assistant.store.requests import check_key

MAX_OFFSET = 2**31 - 1


@dataclass(frozen=True, slots=True)
class MemberSummary:
    """Counts of one member with one model, over all patients.

    Likes, dislikes and errors outlast a purge; the figures on drafts are of those still kept.
    ``mean_edit_distance`` is in code points, ``mean_seconds_to_acceptance`` in seconds.
    """

    kind: str
    member: str
    model: str
    likes: int
    dislikes: int
    errors: int
    drafts: int
    accepted: int
    signed: int
    mean_edit_distance: float | None
    mean_seconds_to_acceptance: float | None


class Feedback:
    """The feedback of the store."""

    def __init__(self, database: Database, audit: Audit, hashes: KeyedHash) -> None:
        self._database = database
        self._audit = audit
        self._hashes = hashes

    def add(
        self,
        context: Context,
        draft_id: str,
        verdict: Verdict,
        *,
        section: str | None = None,
        span: tuple[int, int] | None = None,
        quote: str | None = None,
        comment: str | None = None,
        correction: str | None = None,
        idempotency_key: str | None = None,
    ) -> FeedbackRow:
        """Keep an opinion on a draft, or on the code points ``span`` of its text.

        A like or dislike takes the place of the one that the same actor gave before on the same
        section; errors add up.

        Raises `DraftNotFound`, `InvalidArgument` (also for a range beyond the draft's text),
        `IdempotencyConflict`.
        """
        if verdict not in get_args(Verdict):
            raise InvalidArgument("Feedback is a like, a dislike or an error.")
        if span is not None and not 0 <= span[0] <= span[1] <= MAX_OFFSET:
            raise InvalidArgument(
                "The marked range starts at 0 or later and ends behind its start."
            )
        check_key(idempotency_key)
        body_ref = self._hashes.content(
            [draft_id, verdict, section, span, quote, comment, correction]
        )
        with self._database.write() as session:
            draft = find(session, DraftRow, draft_id)
            if draft is not None and visible(context, draft):
                row = made_before(session, FeedbackRow, context, idempotency_key, body_ref)
                if row is not None:
                    self._audit.append(session, context, "feedback.read", "feedback", row.id)
                    return row
                if span is not None and span[1] > len(draft_text(draft) or ""):
                    raise InvalidArgument("The marked range ends behind the draft's text.")
                if verdict != "error":
                    self._supersede(session, context, draft_id, section)
                row = FeedbackRow(
                    id=new_id(),
                    draft_id=draft_id,
                    actor_id=context.actor_id,
                    actor_role=context.actor_role,
                    patient_id=draft.patient_id,
                    encounter_id=draft.encounter_id,
                    kind=draft.kind,
                    member=draft.member,
                    model=draft.model,
                    verdict=verdict,
                    section=section,
                    span_start=None if span is None else span[0],
                    span_end=None if span is None else span[1],
                    quote=quote,
                    comment=comment,
                    correction=correction,
                    superseded=False,
                    idempotency_key=idempotency_key,
                    body_ref=body_ref,
                    created_at=self._database.clock(),
                )
                session.add(row)
                content = [quote, comment, correction]
                self._audit.append(session, context, "feedback.add", "feedback", row.id, content)
                return row
            self._audit.append(session, context, "draft.read_refused", "draft", draft_id)
        raise DraftNotFound

    def _supersede(
        self, session: Session, context: Context, draft_id: str, section: str | None
    ) -> None:
        same_section = (
            FeedbackRow.section.is_(None) if section is None else FeedbackRow.section == section
        )
        session.execute(
            update(FeedbackRow)
            .where(
                FeedbackRow.draft_id == draft_id,
                FeedbackRow.actor_id == context.actor_id,
                FeedbackRow.verdict != "error",
                same_section,
            )
            .values(superseded=True)
        )

    def list(
        self,
        context: Context,
        draft_id: str | None = None,
        *,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[FeedbackRow]:
        """This patient's feedback that still counts, newest first."""
        query = select(FeedbackRow).where(
            visible_rows(context, FeedbackRow),
            FeedbackRow.superseded.is_(False),
            FeedbackRow.draft_id.is_not(None),
        )
        if draft_id is not None:
            query = query.where(FeedbackRow.draft_id == known_id(draft_id))
        if before is not None:
            query = query.where(FeedbackRow.id < page_start(before))
        query = query.order_by(FeedbackRow.id.desc()).limit(page_size(limit))
        with self._database.write() as session:
            self._audit.append(session, context, "feedback.list", "draft", draft_id or "")
            return session.scalars(query).all()

    def summary(self) -> Sequence[MemberSummary]:
        """Counts for each kind, member and model; no patient text, so no context."""
        by_draft = (DraftRow.kind, DraftRow.member, DraftRow.model)
        drafts = select(
            *by_draft,
            func.count(),
            func.count(DraftRow.accepted_at),
            func.count(DraftRow.signed_at),
            func.avg(DraftRow.edit_distance),
            func.avg(DraftRow.seconds_to_acceptance),
        ).group_by(*by_draft)
        by_feedback = (FeedbackRow.kind, FeedbackRow.member, FeedbackRow.model)
        verdicts = select(
            *by_feedback,
            *(
                func.sum(case((FeedbackRow.verdict == verdict, 1), else_=0))
                for verdict in ("like", "dislike", "error")
            ),
        )
        verdicts = verdicts.where(FeedbackRow.superseded.is_(False)).group_by(*by_feedback)
        with self._database.read() as session:
            of_drafts = {tuple(row[:3]): tuple(row[3:]) for row in session.execute(drafts)}
            of_verdicts = {tuple(row[:3]): tuple(row[3:]) for row in session.execute(verdicts)}
        return [
            _member_summary(key, of_verdicts.get(key), of_drafts.get(key))
            for key in sorted(of_drafts.keys() | of_verdicts.keys())
        ]


def _member_summary(
    key: tuple[str, ...],
    verdicts: tuple[int, ...] | None,
    drafts: tuple[float | None, ...] | None,
) -> MemberSummary:
    likes, dislikes, errors = (int(count) for count in verdicts or (0, 0, 0))
    count, accepted, signed, distance, seconds = drafts or (0, 0, 0, None, None)
    return MemberSummary(
        kind=key[0],
        member=key[1],
        model=key[2],
        likes=likes,
        dislikes=dislikes,
        errors=errors,
        drafts=int(count or 0),
        accepted=int(accepted or 0),
        signed=int(signed or 0),
        mean_edit_distance=None if distance is None else float(distance),
        mean_seconds_to_acceptance=None if seconds is None else float(seconds),
    )
