"""The discharge record that a patient's version is made from, as statements with their places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.draft import Statement
from assistant.grounding.segments import segment_notes
from assistant.record.encounter import Encounter
from assistant.record.medication import Medication, medication_line
from assistant.record.note import Note
from assistant.tasks.discharge.copied import copied_sections
from assistant.tasks.discharge.header import admission_day

RECORD = "discharge-record"
"""The id of the note that a given discharge record is read as."""


@dataclass(frozen=True)
class Source:
    """Diagnoses and orders as the record has them; ``drugs`` are the rows that have a line."""

    diagnoses: Sequence[Statement]
    orders: Sequence[Statement]
    drugs: Sequence[tuple[Medication, Statement]]


def read_source(encounter: Encounter, record: str = "") -> Source:
    """From ``record``, the text of a discharge record that a doctor has written or signed; without
    one from what a discharge record of the encounter copies."""
    read = encounter
    if record.strip():
        # What a doctor has signed counts: rows and notes of the stay say nothing beside it.
        note = Note(id=RECORD, kind="other", title="出院记录", text=record)
        read = encounter.model_copy(
            update={
                "notes": [note],
                "diagnoses": [],
                "operations": [],
                "observations": [],
                "medications": [],
                "orders": [],
            }
        )
    notes = read.all_notes()
    copied = copied_sections(read, notes, segment_notes(notes, admission_day(read, notes)))
    orders = [s for s in copied.get("discharge_orders", []) if s.evidence]
    rows = {medication_line(m): m for m in read.medications if m.discharge}
    drugs: list[tuple[Medication, Statement]] = []
    rest: list[Statement] = []
    for order in orders:
        line = next((one for one in rows if order.evidence[0].quote == one), None)
        row = rows.get(line) if line is not None else None
        if row is None:
            rest.append(order)
        else:
            drugs.append((row, order))
    diagnoses = [s for s in copied.get("discharge_diagnosis", []) if s.evidence]
    return Source(diagnoses, rest, drugs)
