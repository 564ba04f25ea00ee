"""Conversations over a record."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class ConversationRow(Base):
    """A conversation over the record of one encounter.

    Its turns are drafts whose ``section`` is its id; ``record`` is the encounter that they read.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index("ix_conversations_patient", "patient_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    title: Mapped[str]
    record: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
