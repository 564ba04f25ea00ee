"""One encounter: a stay or visit, with its notes and structured rows.

A record comes as plain JSON (`Encounter.model_validate`) or as free text (`Encounter.from_text`).
Structured rows (observations, medication, orders) are also rendered as notes, one row a line, so
that whatever a draft says can point to a span of text.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Self

from pydantic import Field, model_validator

from assistant.record.attachment import Attachments
from assistant.record.diagnosis import Diagnosis, diagnosis_line
from assistant.record.fields import Identifier, Moment, ShortText, Strict
from assistant.record.medication import Medication, medication_line
from assistant.record.note import Note, kind_of_title
from assistant.record.observation import Observation, observation_line
from assistant.record.operation import Operation, operation_line
from assistant.record.order import Order, order_line
from assistant.record.patient import Patient

RESERVED = "table:"
"""What the ids of the notes made from structured rows begin with."""


_TABLES: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "diagnoses": ("诊断", diagnosis_line),
    "operations": ("手术", operation_line),
    "observations": ("检验检查", observation_line),
    "medications": ("用药", medication_line),
    "orders": ("医嘱", order_line),
}
"""Rows as notes: the title, and a row as a line."""


class Encounter(Strict):
    """One stay or visit, with all that was written in it."""

    id: Identifier
    patient: Patient
    department: ShortText = ""
    ward: ShortText = ""
    bed: ShortText = ""
    admitted_at: Moment | None = None
    discharged_at: Moment | None = None
    diagnoses: list[Diagnosis] = Field(default_factory=list, max_length=200)
    notes: list[Note] = Field(default_factory=list, max_length=500)
    observations: list[Observation] = Field(default_factory=list, max_length=5000)
    orders: list[Order] = Field(default_factory=list, max_length=5000)
    medications: list[Medication] = Field(default_factory=list, max_length=2000)
    operations: list[Operation] = Field(default_factory=list, max_length=200)
    attachments: Attachments = Field(default_factory=list)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse what would make a wrong record; the messages hold no patient text."""
        if any(n.kind == "structured" or n.id.startswith(RESERVED) for n in self.notes):
            raise ValueError(
                f"病程的 kind 不能是 structured，id 不能以 {RESERVED} 开头，它们留给数据表。"
                f" (Note kind structured and ids beginning with {RESERVED} are reserved.)"
            )
        admitted, discharged = self.admitted_at, self.discharged_at
        if (
            admitted
            and discharged
            and discharged.replace(tzinfo=None) < admitted.replace(tzinfo=None)
        ):
            raise ValueError("出院时间早于入院时间，请核对。(discharged_at is before admitted_at.)")
        return self

    @classmethod
    def from_text(cls, text: str, *, patient_id: str, encounter_id: str) -> Self:
        """An encounter that is one free text, kept whole as the note ``text``."""
        note = Note(id="text", kind="other", title="病历原文", text=text)
        return cls(id=encounter_id, patient=Patient(id=patient_id), notes=[note])

    def titled(self) -> Self:
        """The same record, its notes of the kind ``other`` with the kind that their title says."""
        notes = [
            n.model_copy(update={"kind": kind_of_title(n.title)}) if n.kind == "other" else n
            for n in self.notes
        ]
        return self.model_copy(update={"notes": notes})

    def record_hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of the whole record."""
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()

    def all_notes(self) -> list[Note]:
        """The notes in order of writing, then the structured rows rendered as notes."""
        return [*self.written_notes(), *self.structured_notes()]

    def written_notes(self) -> list[Note]:
        """The notes in order of writing."""
        return sorted(self.notes, key=lambda n: (n.written_at is not None, str(n.written_at or "")))

    def structured_notes(self) -> list[Note]:
        """Diagnoses, operations, observations, medication and orders, one row a line."""
        return [table for key in _TABLES if (table := self.structured_note(key)) is not None]

    def structured_note(self, key: str) -> Note | None:
        """One of these tables, by the name of the rows' field; None where there are no rows."""
        lines = self.lines(key)
        if not lines:
            return None
        title, _ = _TABLES[key]
        # Not validated: a long table may exceed the length that an input note may have.
        return Note.model_construct(
            id=RESERVED + key, kind="structured", title=title, text="\n".join(lines)
        )

    def lines(self, key: str) -> list[str]:
        """The lines of one of these tables, a row each."""
        _, line = _TABLES[key]
        return [line(row) for row in getattr(self, key)]

    def note(self, note_id: str) -> Note | None:
        """The note with this id, structured ones included."""
        return next((n for n in self.all_notes() if n.id == note_id), None)
