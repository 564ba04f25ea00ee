"""The audit chain and its signed end."""

from __future__ import annotations

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base, BigNumber


class AuditRow(Base):
    """One thing that somebody did.  Ids and keyed hashes only, never text."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_patient", "patient_ref", "seq"),
        Index("ix_audit_object", "object_id", "seq"),
    )

    seq: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(64))
    patient_ref: Mapped[str] = mapped_column(String(64))
    encounter_ref: Mapped[str] = mapped_column(String(64))
    content_ref: Mapped[str] = mapped_column(String(64))
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditHead(Base):
    """The signed end of the audit chain; one row."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigNumber)
    hash: Mapped[str] = mapped_column(String(64))
    signature: Mapped[str] = mapped_column(String(64))
    key_check: Mapped[str] = mapped_column(String(64))
