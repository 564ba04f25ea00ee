"""Messages of other systems."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class MessageRow(Base):
    """A message of another system as it came, decoded; ``content`` holds patient text.

    ``stamp`` is the sender's time as written, ``handed_at`` when it became a record event.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("sender", "control_id", "stamp", name="uq_messages_control"),
        Index("ix_messages_patient", "patient_id", "encounter_id"),
        Index("ix_messages_handed", "handed_at", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    sender: Mapped[str]
    control_id: Mapped[str]
    stamp: Mapped[str]
    kind: Mapped[str] = mapped_column(String(16))
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    happened_at: Mapped[datetime]
    content: Mapped[str]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    handed_at: Mapped[datetime | None]
