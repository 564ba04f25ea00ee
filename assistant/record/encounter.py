"""One encounter: a stay or visit, with its notes and structured rows.

A record comes as plain JSON (`Encounter.model_validate`) or as free text (`Encounter.from_text`).
Structured rows (observations, medication, orders) are also rendered as notes, one row a line, so
that whatever a draft says can point to a span of text.
"""

from __future__ import annotations

import hashlib
import json
from typing import Self

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
        written = sorted(
            self.notes, key=lambda n: (n.written_at is not None, str(n.written_at or ""))
        )
        return [*written, *self.structured_notes()]

    def structured_notes(self) -> list[Note]:
        """Diagnoses, operations, observations, medication and orders, one row a line."""
        tables = [
            ("diagnoses", "诊断", [diagnosis_line(d) for d in self.diagnoses]),
            ("operations", "手术", [operation_line(o) for o in self.operations]),
            ("observations", "检验检查", [observation_line(o) for o in self.observations]),
            ("medications", "用药", [medication_line(m) for m in self.medications]),
            ("orders", "医嘱", [order_line(o) for o in self.orders]),
        ]
        return [
            # Not validated: a long table may exceed the length that an input note may have.
            Note.model_construct(
                id=RESERVED + key, kind="structured", title=title, text="\n".join(lines)
            )
            for key, title, lines in tables
            if lines
        ]

    def note(self, note_id: str) -> Note | None:
        """The note with this id, structured ones included."""
        return next((n for n in self.all_notes() if n.id == note_id), None)
