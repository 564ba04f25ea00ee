"""People's scores of drafts on a form, and the draft with its record for who scores it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from assistant.store.access import find
from assistant.store.audit import Audit
from assistant.store.column_types import storable
from assistant.store.context import Context
from assistant.store.database import Database
from assistant.store.errors import DraftNotFound, InvalidArgument
from assistant.store.identifier import new_id
from assistant.store.models.draft import DraftRow
from assistant.store.models.quality_review import QualityReviewRow
from assistant.store.models.request import RequestRow

MAX_COMMENT = 2_000


@dataclass(frozen=True, slots=True)
class ToReview:
    """A draft as a reviewer reads it: its text, and the record that it was made from.

    Neither the model nor the doctor is named, so that they sway nobody.
    """

    draft_id: str
    kind: str
    section: str
    text: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class QualityReview:
    """One reviewer's scores of one draft: item → score, None where it does not apply."""

    draft_id: str
    kind: str
    model: str
    reviewer: str
    scores: dict[str, int | None]
    created_at: datetime


class QualityReviews:
    """The reviews of the store."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database = database
        self._audit = audit

    def open(self, actor_id: str, actor_role: str, draft_id: str) -> ToReview:
        """The draft for a reviewer; noted in the audit under its patient.

        Raises `DraftNotFound`, and `PatientNotInSession` in a session of another patient.
        """
        with self._database.write() as session:
            row = find(session, DraftRow, draft_id)
            request = None if row is None else session.get(RequestRow, row.request_id)
            if row is None or request is None:
                raise DraftNotFound
            context = Context(actor_id, actor_role, row.patient_id, row.encounter_id)
            self._audit.append(session, context, "draft.read_for_review", "draft", row.id)
            text = str(row.content.get("text") or "")
            return ToReview(row.id, row.kind, row.section, text, request.payload)

    def add(
        self,
        actor_id: str,
        actor_role: str,
        draft_id: str,
        form: str,
        scores: Mapping[str, int | None],
        comment: str = "",
    ) -> QualityReview:
        """Keep a reviewer's scores; the first ones of a reviewer and draft stay.

        Raises `DraftNotFound`; `InvalidArgument` where the reviewer has scored it already.
        """
        if len(comment) > MAX_COMMENT:
            raise InvalidArgument(f"意见超过 {MAX_COMMENT} 字。(The comment is too long.)")
        with self._database.write() as session:
            draft = find(session, DraftRow, draft_id)
            if draft is None:
                raise DraftNotFound
            place = (
                QualityReviewRow.draft_id == draft_id,
                QualityReviewRow.reviewer == actor_id,
                QualityReviewRow.form == form,
            )
            if session.scalar(select(QualityReviewRow.id).where(*place)) is not None:
                raise InvalidArgument("您已评过这份草稿。(You have scored this draft already.)")
            row = QualityReviewRow(
                id=new_id(),
                draft_id=draft_id,
                form=form,
                kind=draft.kind,
                model=draft.model,
                reviewer=actor_id,
                scores=dict(scores),
                comment=storable(comment),
                created_at=self._database.clock(),
            )
            session.add(row)
            context = Context(actor_id, actor_role, draft.patient_id, draft.encounter_id)
            content = [row.scores, row.comment]
            self._audit.append(session, context, "draft.review", "draft", draft_id, content)
            return _shown(row)

    def list(self, form: str, *, since: datetime | None = None) -> Sequence[QualityReview]:
        """All reviews on a form, oldest first; comments are left out."""
        query = select(QualityReviewRow).where(QualityReviewRow.form == form)
        if since is not None:
            query = query.where(QualityReviewRow.created_at >= since)
        with self._database.read() as session:
            return [_shown(row) for row in session.scalars(query.order_by(QualityReviewRow.id))]


def _shown(row: QualityReviewRow) -> QualityReview:
    return QualityReview(
        row.draft_id, row.kind, row.model, row.reviewer, row.scores, row.created_at
    )
