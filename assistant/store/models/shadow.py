"""Answers of candidates beside the model in use, and their reviews."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class ShadowAnswerRow(Base):
    """What a candidate answered beside the model in use; no doctor is shown it as a draft.

    ``identity`` is what the candidate was: engine, model, files, prompts.  ``content`` are its
    drafts, ``differences`` how they differ from the real ones; both empty until it is done.
    ``status`` is waiting, done or failed.
    """

    __tablename__ = "shadow_answers"
    __table_args__ = (
        UniqueConstraint("request_id", "engine", "fingerprint", name="uq_shadow_answers_place"),
        Index("ix_shadow_answers_status", "status", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    request_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("requests.id", ondelete="CASCADE")
    )
    kind: Mapped[str]
    engine: Mapped[str]
    model: Mapped[str]
    fingerprint: Mapped[str] = mapped_column(String(64))
    identity: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    content: Mapped[dict[str, Any]]
    differences: Mapped[dict[str, Any]]
    failure: Mapped[str]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ShadowReviewRow(Base):
    """Which of two texts a person preferred without knowing whose they were."""

    __tablename__ = "shadow_reviews"
    __table_args__ = (UniqueConstraint("answer_id", "reviewer", name="uq_shadow_reviews_place"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    answer_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("shadow_answers.id", ondelete="CASCADE")
    )
    reviewer: Mapped[str]
    preferred: Mapped[str] = mapped_column(String(16))
    comment: Mapped[str]
    created_at: Mapped[datetime]
