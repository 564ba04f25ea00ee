"""Events of records, and the work that comes of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class RecordEventRow(Base):
    """Something that happened to a record, as a system told it; ``key`` is its sender's id."""

    __tablename__ = "record_events"
    __table_args__ = (
        UniqueConstraint("application", "key", name="uq_record_events_key"),
        Index("ix_record_events_patient", "patient_id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    key: Mapped[str] = mapped_column(String(128))
    type: Mapped[str] = mapped_column(String(32))
    application: Mapped[str]
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    body_ref: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class EventWorkRow(Base):
    """What a rule makes of the events of an encounter: one row a rule, task and encounter.

    ``status`` is waiting until ``due_at``, then made; ``request_id`` the request of the newest
    record.  ``payload`` is that request, and empty once it is made.
    """

    __tablename__ = "event_work"
    __table_args__ = (
        UniqueConstraint("rule", "kind", "patient_id", "encounter_id", name="uq_event_work_place"),
        Index("ix_event_work_due", "status", "due_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    rule: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(64))
    status: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    application: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    record_hash: Mapped[str]
    payload: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]]
    bound: Mapped[bool]
    event_id: Mapped[str] = mapped_column(String(36))
    request_id: Mapped[str | None] = mapped_column(String(36))
    due_at: Mapped[datetime]
    updated_at: Mapped[datetime]
