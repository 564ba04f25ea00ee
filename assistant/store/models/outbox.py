"""What the hospital's system is still to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class OutboxRow(Base):
    """A text that a doctor took and that the hospital's system is told of.

    It is written with the acceptance itself, so that neither is there without the other.  ``key``
    is the same for the same text of the same draft.  ``status`` is waiting, sent, or failed after
    the last try; ``problem`` says what went wrong, without anything of the text.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("key", name="uq_outbox_key"),
        Index("ix_outbox_due", "status", "due_at"),
        Index("ix_outbox_patient", "patient_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    draft_id: Mapped[str] = mapped_column(String(36))
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    status: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int]
    problem: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
