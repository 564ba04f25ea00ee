"""Writing the index: notes with their facts, a batch in a transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from assistant.record_index.entries import Entries, Fact, Result
from assistant.store import Context, Store, content_hash
from assistant.store.context import check_id
from assistant.store.database import utc_now
from assistant.store.models.base import Base
from assistant.store.record_rows import (
    RecordFactRow,
    RecordNoteRow,
    RecordPatientRow,
    RecordResultRow,
    RecordTermRow,
    delete_notes,
)

_MANY = 500


@dataclass(frozen=True, slots=True)
class NoteToIndex:
    """A note and whose it is; ``access`` is the group that may see it, "" the whole hospital."""

    patient_id: str
    note_id: str
    text: str
    entries: Entries
    encounter_id: str = ""
    access: str = ""
    title: str = ""
    written_on: str = ""
    made_of: str = ""

    def __post_init__(self) -> None:
        for name in ("patient_id", "encounter_id", "access"):
            check_id(name, getattr(self, name))

    @property
    def digest(self) -> str:
        """What tells this note from another of its id; see `digest_of`."""
        return digest_of(
            self.text, self.title, self.written_on, self.access, self.encounter_id, self.made_of
        )


def digest_of(*parts: str) -> str:
    """SHA-256 (hex) of all that decides what the index says of a note: text, title, day, group,
    encounter, and what structured it."""
    return content_hash(list(parts))


@dataclass(slots=True)
class _Numbers:
    """The numbers that new rows get; writers come one after another."""

    session: Session
    next: dict[type[Base], int] = field(default_factory=dict)

    def take(self, table: Any) -> int:
        """The next number of a table."""
        if table not in self.next:
            self.next[table] = (self.session.scalar(select(func.max(table.no))) or 0) + 1
        self.next[table] += 1
        return self.next[table] - 1


def known(store: Store, patients: Iterable[str]) -> dict[tuple[str, str], str]:
    """(patient id, note id) → digest of what is in the index of these patients."""
    found: dict[tuple[str, str], str] = {}
    wanted = sorted(set(patients))
    with store.database.read() as session:
        for at in range(0, len(wanted), _MANY):
            query = (
                select(RecordPatientRow.patient_id, RecordNoteRow.note_id, RecordNoteRow.digest)
                .join(RecordNoteRow, RecordNoteRow.patient_no == RecordPatientRow.no)
                .where(RecordPatientRow.patient_id.in_(wanted[at : at + _MANY]))
            )
            found.update(
                ((patient, note), digest) for patient, note, digest in session.execute(query)
            )
    return found


def add_notes(store: Store, notes: Sequence[NoteToIndex], actor: Context) -> None:
    """Put notes into the index, in place of those of the same patient and id.

    They are on the disk when this returns, all or none.  Each leaves an audit row.
    """
    with store.database.write() as session:
        patients = _patients(session, notes)
        _replace(session, notes, patients)
        terms = _terms(session, notes)
        numbers = _Numbers(session)
        rows: dict[type[Base], list[dict[str, Any]]] = {
            RecordNoteRow: [], RecordFactRow: [], RecordResultRow: []
        }  # fmt: skip
        for note in notes:
            number = numbers.take(RecordNoteRow)
            patient = patients[note.patient_id]
            rows[RecordNoteRow].append(_note_row(note, number, patient, actor))
            whose = {"patient_no": patient, "note_no": number, "access": note.access}
            of_note: tuple[tuple[type[Base], Sequence[Fact | Result]], ...]
            of_note = ((RecordFactRow, note.entries.facts), (RecordResultRow, note.entries.results))
            for of, entries in of_note:
                for entry in entries:
                    values = {name: getattr(entry, name) for name in entry.__slots__}
                    term = terms[values.pop("name")]
                    del values["concept"]
                    row = {"no": numbers.take(of), "term_no": term, **whose, **values}
                    rows[of].append(row)
        for table, made in rows.items():
            if made:
                session.execute(insert(table), made)
        contexts = [
            Context(actor.actor_id, actor.actor_role, note.patient_id, note.encounter_id)
            for note in notes
        ]
        store.audit.append_each(session, contexts, "record.load", "record_note")


def _note_row(note: NoteToIndex, number: int, patient: int, actor: Context) -> dict[str, Any]:
    return {
        "no": number,
        "patient_no": patient,
        "encounter_id": note.encounter_id,
        "note_id": note.note_id,
        "access": note.access,
        "title": note.title,
        "written_on": note.written_on,
        "digest": note.digest,
        "made_of": note.made_of,
        "actor_id": actor.actor_id,
        "loaded_at": utc_now(),
        "text": note.text,
    }


def _patients(session: Session, notes: Sequence[NoteToIndex]) -> dict[str, int]:
    wanted = sorted({note.patient_id for note in notes})
    found: dict[str, int] = {}
    for at in range(0, len(wanted), _MANY):
        query = select(RecordPatientRow.patient_id, RecordPatientRow.no).where(
            RecordPatientRow.patient_id.in_(wanted[at : at + _MANY])
        )
        found.update((patient, number) for patient, number in session.execute(query))
    numbers = _Numbers(session)
    new = {patient: numbers.take(RecordPatientRow) for patient in wanted if patient not in found}
    if new:
        session.execute(
            insert(RecordPatientRow), [{"no": no, "patient_id": one} for one, no in new.items()]
        )
    return found | new


def _replace(session: Session, notes: Sequence[NoteToIndex], patients: dict[str, int]) -> None:
    """Take away the notes that come again."""
    wanted = {(patients[note.patient_id], note.note_id) for note in notes}
    of_patients = sorted({patient for patient, _ in wanted})
    old: list[int] = []
    for at in range(0, len(of_patients), _MANY):
        query = select(RecordNoteRow.no, RecordNoteRow.patient_no, RecordNoteRow.note_id).where(
            RecordNoteRow.patient_no.in_(of_patients[at : at + _MANY])
        )
        old += [no for no, patient, note in session.execute(query) if (patient, note) in wanted]
    delete_notes(session, old)


def _terms(session: Session, notes: Sequence[NoteToIndex]) -> dict[str, int]:
    """Name → number of every name of ``notes``; new ones are added with their concepts."""
    concepts: dict[str, str] = {}
    for note in notes:
        every: list[Fact | Result] = [*note.entries.facts, *note.entries.results]
        for entry in every:
            concepts[entry.name] = concepts.get(entry.name) or entry.concept
    names = sorted(concepts)
    found: dict[str, int] = {}
    for at in range(0, len(names), _MANY):
        query = select(RecordTermRow.name, RecordTermRow.no).where(
            RecordTermRow.name.in_(names[at : at + _MANY])
        )
        found.update((name, number) for name, number in session.execute(query))
    numbers = _Numbers(session)
    new = {name: numbers.take(RecordTermRow) for name in names if name not in found}
    if new:
        rows = [{"no": no, "name": name, "concept": concepts[name]} for name, no in new.items()]
        session.execute(insert(RecordTermRow), rows)
    return found | new
