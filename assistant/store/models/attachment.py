"""Pages and series of patients, and their files."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class AttachmentRow(Base):
    """A page or a series of a patient; ``details`` is what its kind says of it beside id and hash.

    ``key`` tells it from the others of its kind and encounter.
    """

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint(
            "patient_id", "encounter_id", "kind", "key", name="uq_attachments_content"
        ),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str]
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    sha256: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class AttachmentFileRow(Base):
    """One file of an attachment, which lies in the folder of contents under its hash."""

    __tablename__ = "attachment_files"
    __table_args__ = (
        Index("ix_attachment_files_sha256", "sha256"),
        Index("ix_attachment_files_name", "name"),
    )

    attachment_id: Mapped[str] = mapped_column(
        String(36), ForeignKey("attachments.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64))
    media_type: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
