"""What doctors were shown at work, and their answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class CardRow(Base):
    """Something that was shown to a doctor at work (an alert, a draft that is ready), and the
    answer to it.

    ``key`` is the same as long as the facts are.  ``outcome`` is empty, accepted or overridden.  A
    purge empties ids, key and comment; rule and outcome stay, so that rates stay right.
    """

    __tablename__ = "cards"
    __table_args__ = (
        Index("ix_cards_patient", "patient_id", "encounter_id"),
        Index("ix_cards_rule", "rule"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    service: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    rule: Mapped[str] = mapped_column(String(64))
    key: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(16))
    interruptive: Mapped[bool]
    draft_id: Mapped[str | None] = mapped_column(String(36))
    suggestions: Mapped[dict[str, Any]]
    actor_id: Mapped[str]
    application: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    created_at: Mapped[datetime]
    shown: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64))
    comment: Mapped[str]
    answered_by: Mapped[str]
    answered_at: Mapped[datetime | None]
