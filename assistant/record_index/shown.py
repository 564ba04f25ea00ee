"""What is shown of a found row: de-identified unless somebody who may asks for who it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import select

from assistant.record_index.evidence import Evidence
from assistant.record_index.search import Found, Row
from assistant.store import Store
from assistant.store.deidentify import Deidentifier
from assistant.store.record_rows import RecordNoteRow, RecordPatientRow

_YEAR = 4


def deidentified(store: Store, found: Found) -> Found:
    """The same without who it is: a pseudonym for the patient, years for days, texts replaced.

    Values of results stay, for they are what a cohort is made of; offsets stay.
    """
    notes = _texts(store, found)
    return replace(found, rows=[_row(store, row, notes) for row in found.rows])


def _texts(store: Store, found: Found) -> dict[str, list[str]]:
    """The notes that evidence is of, by patient: a name that an excerpt cuts in two is known from
    them."""
    wanted = {one.note_id for row in found.rows for one in row.evidence}
    query = (
        select(RecordPatientRow.patient_id, RecordNoteRow.text)
        .join(RecordNoteRow, RecordNoteRow.patient_no == RecordPatientRow.no)
        .where(RecordPatientRow.patient_id.in_({row.patient_id for row in found.rows}))
        .where(RecordNoteRow.note_id.in_(wanted))
    )
    texts: dict[str, list[str]] = defaultdict(list)
    with store.database.read() as session:
        for patient, text in session.execute(query):
            texts[patient].append(text)
    return texts


def _row(store: Store, row: Row, notes: Mapping[str, list[str]]) -> Row:
    texts = Deidentifier(identifiers=[row.patient_id, row.note_id])
    texts.learn(notes.get(row.patient_id, []))
    return replace(
        row,
        patient_id=store.pseudonym(row.patient_id),
        note_id=store.pseudonym(row.note_id).replace("P-", "N-") if row.note_id else "",
        first_day=row.first_day[:_YEAR],
        last_day=row.last_day[:_YEAR],
        evidence=[_evidence(store, one, texts) for one in row.evidence],
    )


def _evidence(store: Store, one: Evidence, texts: Deidentifier) -> Evidence:
    return replace(
        one,
        note_id=store.pseudonym(one.note_id).replace("P-", "N-"),
        title=texts.text(one.title),
        on_date=one.on_date[:_YEAR],
        before=texts.text(one.before),
        text=texts.text(one.text),
        after=texts.text(one.after),
    )
