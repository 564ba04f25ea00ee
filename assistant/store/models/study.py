"""Studies that arrive over the network."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from assistant.store.context import Context
from assistant.store.models.base import Base


class DicomStudyRow(Base):
    """A study that arrives over the network, instance by instance.

    ``series`` is what is known of each series by its UID, ``routes`` what was started from the
    study by the key of its request; see `assistant.store.studies`.
    """

    __tablename__ = "dicom_studies"
    __table_args__ = (
        UniqueConstraint("patient_id", "encounter_id", "study_uid", name="uq_dicom_studies_study"),
        Index("ix_dicom_studies_state", "state", "id"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    study_uid: Mapped[str] = mapped_column(String(64))
    actor_id: Mapped[str]
    patient_id: Mapped[str]
    encounter_id: Mapped[str]
    state: Mapped[str] = mapped_column(String(16))
    note: Mapped[str]
    series: Mapped[dict[str, Any]]
    routes: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    arrived_at: Mapped[datetime]

    @property
    def context(self) -> Context:
        """The context that the study belongs to; what it starts goes on in it."""
        return Context(self.actor_id, "system", self.patient_id, self.encounter_id)
