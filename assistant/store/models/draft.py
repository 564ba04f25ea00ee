"""Drafts, and what doctors did with their statements."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base

StatementAction = Literal["confirmed", "deleted", "edited", "restored"]


class DraftRow(Base):
    """One generated text (or one section of it) waiting for a doctor.

    ``seconds_to_acceptance`` runs from ``created_at`` to the first fill-in; ``edit_distance`` is
    counted in code points (see `assistant.store.edit_distance`).  ``opened_at`` is when a person
    first looked at it.
    """

    __tablename__ = "drafts"
    __table_args__ = (
        UniqueConstraint("request_id", "member", "section", name="uq_drafts_place"),
        Index("ix_drafts_patient", "patient_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    request_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("requests.id", ondelete="CASCADE")
    )
    kind: Mapped[str]
    member: Mapped[str]
    section: Mapped[str]
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    content: Mapped[dict[str, Any]]
    record_hash: Mapped[str]
    model: Mapped[str]
    prompt_version: Mapped[str]
    knowledge_version: Mapped[str]
    created_at: Mapped[datetime]
    stale_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]
    accepted_text: Mapped[str | None]
    seconds_to_acceptance: Mapped[float | None]
    signed_at: Mapped[datetime | None]
    signed_by: Mapped[str | None]
    signed_text: Mapped[str | None]
    edit_distance: Mapped[int | None]
    opened_at: Mapped[datetime | None]


class ResolutionRow(Base):
    """What a doctor did with one statement of a draft; rows are only ever added."""

    __tablename__ = "resolutions"
    __table_args__ = (
        UniqueConstraint("actor_id", "idempotency_key", name="uq_resolutions_key"),
        Index("ix_resolutions_draft", "draft_id", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    draft_id: Mapped[str] = mapped_column(String(36), ForeignKey("drafts.id", ondelete="CASCADE"))
    statement_id: Mapped[str]
    action: Mapped[str] = mapped_column(String(16))
    text: Mapped[str | None]
    actor_id: Mapped[str]
    idempotency_key: Mapped[str | None]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
