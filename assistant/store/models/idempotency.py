"""Answers that are given again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class IdempotencyRow(Base):
    """An answer that is given again when the same POST comes twice."""

    __tablename__ = "idempotency"
    __table_args__ = (Index("ix_idempotency_patient", "patient_id"),)

    actor_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str]
    body_ref: Mapped[str] = mapped_column(String(64))
    patient_id: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[str | None]
    created_at: Mapped[datetime]
