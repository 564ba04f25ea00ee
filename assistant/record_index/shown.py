"""What is shown of a found row: de-identified unless somebody who may asks for who it is."""

from __future__ import annotations

from dataclasses import replace

from assistant.record_index.evidence import Evidence
from assistant.record_index.search import Found, Row
from assistant.store import Store
from assistant.store.deidentify import Deidentifier

_YEAR = 4


def deidentified(store: Store, found: Found) -> Found:
    """The same without who it is: a pseudonym for the patient, years for days, texts replaced.

    Values of results stay, for they are what a cohort is made of; offsets stay.
    """
    return replace(found, rows=[_row(store, row) for row in found.rows])


def _row(store: Store, row: Row) -> Row:
    texts = Deidentifier(identifiers=[row.patient_id, row.note_id])
    for one in row.evidence:
        texts.learn(f"{one.before}{one.text}{one.after}")
    return replace(
        row,
        patient_id=store.pseudonym(row.patient_id),
        note_id=store.pseudonym(row.note_id).replace("P-", "N-") if row.note_id else "",
        first_day=row.first_day[:_YEAR],
        last_day=row.last_day[:_YEAR],
        evidence=[_evidence(store, one, texts) for one in row.evidence],
    )


def _evidence(store: Store, one: Evidence, texts: Deidentifier) -> Evidence:
    # A name cut off at the edge would not be found: the whole is replaced, then taken apart.
    before, text, after = texts.text(one.before), texts.text(one.text), texts.text(one.after)
    return replace(
        one,
        note_id=store.pseudonym(one.note_id).replace("P-", "N-"),
        title=texts.text(one.title),
        on_date=one.on_date[:_YEAR],
        before=before,
        text=text,
        after=after,
    )
