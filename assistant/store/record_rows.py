"""The tables of the index over structured notes.

Numbers are keys here, not ids: they name nothing outside the database.  A patient's rows hang on
``record_patients``, so that they go with the patient.  Names of terms are words of notes too: those
that no fact has any more go with the last of them.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, Integer, String, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from assistant.store.models.base import Base, BigNumber


class RecordPatientRow(Base):
    """A patient of whom notes are indexed."""

    __tablename__ = "record_patients"
    __table_args__ = (UniqueConstraint("patient_id", name="uq_record_patients_id"),)

    no: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    patient_id: Mapped[str]


class RecordNoteRow(Base):
    """A note as it was given.  ``access`` is the group that may see it, "" the whole hospital;
    ``written_on`` an ISO day or ""; ``made_of`` what structured it."""

    __tablename__ = "record_notes"
    __table_args__ = (
        UniqueConstraint("patient_no", "note_id", name="uq_record_notes_note"),
        Index("ix_record_notes_day", "written_on", "access", "patient_no"),
    )

    no: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    patient_no: Mapped[int] = mapped_column(
        BigNumber, ForeignKey("record_patients.no", ondelete="CASCADE")
    )
    encounter_id: Mapped[str]
    note_id: Mapped[str]
    access: Mapped[str]
    title: Mapped[str]
    written_on: Mapped[str] = mapped_column(String(10))
    digest: Mapped[str] = mapped_column(String(64))
    made_of: Mapped[str]
    actor_id: Mapped[str]
    loaded_at: Mapped[datetime]
    text: Mapped[str]


class RecordTermRow(Base):
    """A name in one spelling; ``concept`` is the name that the knowledge base has for it, or ""."""

    __tablename__ = "record_terms"
    __table_args__ = (UniqueConstraint("name", name="uq_record_terms_name"),)

    no: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    name: Mapped[str]
    concept: Mapped[str]


class RecordFactRow(Base):
    """What a note says of one name: an entity has a row for its words, its concept and its codes.

    ``standing``: see `assistant.record_index.standing`.  ``on_date`` is the fact's own date, else
    the note's, in ISO 8601 as far as it is known.
    """

    __tablename__ = "record_facts"
    __table_args__ = (
        Index(
            "ix_record_facts_term",
            *("term_no", "standing", "on_date", "access", "patient_no", "note_no", "type"),
        ),
        Index("ix_record_facts_note", "note_no"),
    )

    no: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    term_no: Mapped[int] = mapped_column(BigNumber)
    patient_no: Mapped[int] = mapped_column(BigNumber)
    note_no: Mapped[int] = mapped_column(
        BigNumber, ForeignKey("record_notes.no", ondelete="CASCADE")
    )
    access: Mapped[str]
    type: Mapped[str] = mapped_column(String(16))
    standing: Mapped[str] = mapped_column(String(5))
    on_date: Mapped[str] = mapped_column(String(10))
    start: Mapped[int] = mapped_column(Integer)
    end: Mapped[int] = mapped_column(Integer)


class RecordResultRow(Base):
    """What something came to.  ``number`` is in base units of ``dimensions``, ``value`` and
    ``unit`` as the note has them; ``outcome`` is positive, negative, high, low, normal, abnormal
    or ""."""

    __tablename__ = "record_results"
    __table_args__ = (
        Index(
            "ix_record_results_term",
            *("term_no", "dimensions", "number", "comparator", "standing", "on_date", "access"),
            *("patient_no", "note_no"),
        ),
        Index(
            "ix_record_results_outcome",
            *("term_no", "outcome", "standing", "on_date", "access", "patient_no", "note_no"),
        ),
        Index("ix_record_results_note", "note_no"),
    )

    no: Mapped[int] = mapped_column(BigNumber, primary_key=True, autoincrement=False)
    term_no: Mapped[int] = mapped_column(BigNumber)
    patient_no: Mapped[int] = mapped_column(BigNumber)
    note_no: Mapped[int] = mapped_column(
        BigNumber, ForeignKey("record_notes.no", ondelete="CASCADE")
    )
    access: Mapped[str]
    standing: Mapped[str] = mapped_column(String(5))
    on_date: Mapped[str] = mapped_column(String(10))
    start: Mapped[int] = mapped_column(Integer)
    end: Mapped[int] = mapped_column(Integer)
    number: Mapped[float | None] = mapped_column(Float(53))
    dimensions: Mapped[str] = mapped_column(String(64))
    comparator: Mapped[str] = mapped_column(String(4))
    outcome: Mapped[str] = mapped_column(String(8))
    value: Mapped[str]
    unit: Mapped[str]


class RecordGrantRow(Base):
    """A group of notes that an actor may search beside those of the whole hospital."""

    __tablename__ = "record_grants"

    actor_id: Mapped[str] = mapped_column(primary_key=True)
    access: Mapped[str] = mapped_column(primary_key=True)
    granted_by: Mapped[str]
    granted_at: Mapped[datetime]


def forget_patient(session: Session, patient_id: str) -> int:
    """Delete what the index has of a patient, and the terms that nobody else has; the number of
    notes that went."""
    number = session.scalar(
        select(RecordPatientRow.no).where(RecordPatientRow.patient_id == patient_id)
    )
    if number is None:
        return 0
    notes = select(RecordNoteRow.no).where(RecordNoteRow.patient_no == number)
    gone = delete_notes(session, list(session.scalars(notes)))
    session.execute(delete(RecordPatientRow).where(RecordPatientRow.no == number))
    return gone


def delete_notes(session: Session, notes: list[int]) -> int:
    """Delete notes by their numbers, with their facts; the number of notes."""
    terms: set[int] = set()
    for at in range(0, len(notes), _MANY):
        some = notes[at : at + _MANY]
        for table in (RecordFactRow, RecordResultRow):
            terms |= set(session.scalars(select(table.term_no).where(table.note_no.in_(some))))
            session.execute(delete(table).where(table.note_no.in_(some)))
        session.execute(delete(RecordNoteRow).where(RecordNoteRow.no.in_(some)))
    _forget_terms(session, sorted(terms))
    return len(notes)


def _forget_terms(session: Session, terms: list[int]) -> None:
    """Delete those of ``terms`` that no fact and no result has any more."""
    for at in range(0, len(terms), _MANY):
        some = terms[at : at + _MANY]
        left: set[int] = set()
        for table in (RecordFactRow, RecordResultRow):
            left |= set(session.scalars(select(table.term_no).where(table.term_no.in_(some))))
        gone = [term for term in some if term not in left]
        session.execute(delete(RecordTermRow).where(RecordTermRow.no.in_(gone)))


_MANY = 500
