"""A request: what a doctor or a system asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Boolean, Index, String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.context import Context
from assistant.store.models.base import Base

RequestStatus = Literal["queued", "running", "finished", "failed", "cancelled"]


class RequestRow(Base):
    """Something that a doctor or a system asked for, and how far it is.

    ``kind`` is that of its task.  ``payload`` and ``failure`` may hold patient text.  ``bound``:
    the payload is the record itself.  ``source`` is where it came from, ``batch`` that nobody waits
    for it, ``asked_at`` when somebody last listened or asked how far it is.
    """

    __tablename__ = "requests"
    __table_args__ = (
        UniqueConstraint("actor_id", "idempotency_key", name="uq_requests_key"),
        Index("ix_requests_patient", "patient_id", "id"),
        Index("ix_requests_status", "status", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    payload: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]]
    record_hash: Mapped[str]
    idempotency_key: Mapped[str | None]
    body_ref: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int]
    failure: Mapped[str | None]
    created_at: Mapped[datetime]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    source: Mapped[str] = mapped_column(server_default="")
    batch: Mapped[bool] = mapped_column(Boolean, server_default=false())
    bound: Mapped[bool] = mapped_column(Boolean, server_default=true())
    started_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]

    @property
    def context(self) -> Context:
        """The context in which the request was made: a job goes on in it."""
        return Context(self.actor_id, self.actor_role, self.patient_id, self.encounter_id)
