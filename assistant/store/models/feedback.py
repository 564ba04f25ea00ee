"""What doctors think of drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base

Verdict = Literal["like", "dislike", "error"]


class FeedbackRow(Base):
    """A doctor's opinion on a draft.

    A purge empties the text, the ids and ``draft_id``; verdict, member and model stay, so that
    counts stay right.  ``superseded`` marks a like or dislike that the same actor changed later.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("actor_id", "idempotency_key", name="uq_feedback_key"),
        Index("ix_feedback_patient", "patient_id", "id"),
        Index("ix_feedback_draft", "draft_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    draft_id: Mapped[str | None] = mapped_column(
        String(36), ForeignKey("drafts.id", ondelete="SET NULL")
    )
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    kind: Mapped[str]
    member: Mapped[str]
    model: Mapped[str]
    verdict: Mapped[str] = mapped_column(String(16))
    section: Mapped[str | None]
    span_start: Mapped[int | None]
    span_end: Mapped[int | None]
    quote: Mapped[str | None]
    comment: Mapped[str | None]
    correction: Mapped[str | None]
    superseded: Mapped[bool]
    idempotency_key: Mapped[str | None]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
