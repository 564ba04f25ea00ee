"""Approvals of models, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.column_types import StorableJson
from assistant.store.models.base import Base


class ApprovalRow(Base):
    """That somebody marked a model, a precision and prompts approved, and on what run.

    Rows are only ever added.  ``prompts`` maps a prompt's name to its SHA-256; ``evidence`` is what
    the run was: kind, scores, hashes, versions; ``options`` what else the engine runs with, which
    approvals from before the fourth version of the schema do not have.
    """

    __tablename__ = "approvals"

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    engine: Mapped[str]
    model: Mapped[str]
    engine_kind: Mapped[str] = mapped_column(String(16))
    files_sha256: Mapped[str] = mapped_column(String(64))
    precision: Mapped[str]
    kv_cache: Mapped[str]
    prompts: Mapped[dict[str, Any]]
    run: Mapped[str]
    evidence: Mapped[dict[str, Any]]
    gate: Mapped[str]
    approved_by: Mapped[str]
    note: Mapped[str]
    created_at: Mapped[datetime]
    options: Mapped[dict[str, Any] | None] = mapped_column(StorableJson(none_as_null=True))


class RevocationRow(Base):
    """That an approval was taken back; rows are only ever added."""

    __tablename__ = "revocations"

    approval_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("approvals.id"), primary_key=True
    )
    revoked_by: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime]


class ApprovalStepRow(Base):
    """That an approval was returned because a floor broke, or given again by a person.

    Rows are only ever added; the last one counts.  ``step`` is returned or reinstated, ``figures``
    what was measured, without any text of a patient.
    """

    __tablename__ = "approval_steps"
    __table_args__ = (Index("ix_approval_steps_approval", "approval_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    approval_id: Mapped[str] = mapped_column(String(36), ForeignKey("approvals.id"))
    step: Mapped[str] = mapped_column(String(16))
    by: Mapped[str]
    reason: Mapped[str]
    figures: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
