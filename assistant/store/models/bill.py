"""Bills, their corrections, and what corrections taught of layouts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.models.base import Base


class BillRow(Base):
    """A bill as it stands now: what was read, with what people corrected; its id is its draft's.

    ``version`` counts its savings.  ``items`` are the names of its items, ``words`` all that its
    pages say; ``total_cents`` is the total in hundredths.
    """

    __tablename__ = "bills"
    __table_args__ = (Index("ix_bills_patient", "patient_id", "id"),)

    id: Mapped[str] = mapped_column(
        String(36), ForeignKey("drafts.id", ondelete="CASCADE"), primary_key=True
    )
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    kind: Mapped[str] = mapped_column(String(32))
    hospital: Mapped[str]
    number: Mapped[str]
    issued_on: Mapped[str]
    total_cents: Mapped[int | None] = mapped_column(BigInteger)
    items: Mapped[str]
    words: Mapped[str]
    content: Mapped[dict[str, Any]]
    layout: Mapped[str] = mapped_column(String(64))
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    accepted_by: Mapped[str | None]


class BillCorrectionRow(Base):
    """One cell that somebody changed; rows are only ever added, and go with their bill."""

    __tablename__ = "bill_corrections"
    __table_args__ = (Index("ix_bill_corrections_bill", "bill_id", "id"),)

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    bill_id: Mapped[str] = mapped_column(String(36), ForeignKey("bills.id", ondelete="CASCADE"))
    version: Mapped[int]
    path: Mapped[str]
    old: Mapped[str]
    new: Mapped[str]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    created_at: Mapped[datetime]


class BillLayoutRow(Base):
    """What corrections taught of one layout: labels, places and names, nothing of a patient."""

    __tablename__ = "bill_layouts"

    signature: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    content: Mapped[dict[str, Any]]
    actor_id: Mapped[str]
    updated_at: Mapped[datetime]
