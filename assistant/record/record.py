"""The record: a patient, one encounter, and its notes with their offsets kept.

A record comes as plain JSON (`Encounter.model_validate`) or as free text (`Encounter.from_text`).
Structured rows (observations, medication, orders) are also rendered as notes, one row a line, so
that whatever a draft says can point to a `Span`.
"""

from __future__ import annotations

import hashlib
import json
from calendar import monthrange
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from assistant.record.rows import (
    Diagnosis,
    Identifier,
    Medication,
    Moment,
    Observation,
    Operation,
    Order,
    ShortText,
    Strict,
    diagnosis_line,
    medication_line,
    observation_line,
    operation_line,
    order_line,
)

__all__ = [
    "CASE_FIELDS", "RESERVED", "SEX_ZH", "Case", "Diagnosis", "Encounter", "Identifier",
    "Medication", "Note", "NoteKind", "Observation", "Operation", "Order", "Patient", "Sex",
    "ShortText", "age_in_words",
]  # fmt: skip

NoteText = Annotated[str, StringConstraints(max_length=200_000)]
Sex = Literal["male", "female"]
SEX_ZH = {"male": "男", "female": "女"}
RESERVED = "table:"
"""What the ids of the notes made from structured rows begin with."""


OLDEST = 150
"""Years that nobody outlives."""


def _months_and_days(birth: date, when: date) -> tuple[int, int]:
    """Completed months, and the days since the last of them."""
    months = (when.year - birth.year) * 12 + when.month - birth.month - (when.day < birth.day)
    year, month = divmod(birth.month - 1 + months, 12)
    last = monthrange(birth.year + year, month + 1)[1]
    since = date(birth.year + year, month + 1, min(birth.day, last))
    return months, (when - since).days


def _may_live(birth: date, when: date) -> bool:
    """Whether somebody born on ``birth`` may be alive on ``when``; else the birth date is a slip
    of the pen and tells no age."""
    return birth <= when and when.year - birth.year <= OLDEST


def age_in_words(birth: date, when: date) -> str:
    """Age on ``when`` as a ward writes it: ``64岁`` in completed years, ``1岁8个月`` under three
    years, ``12天`` under one month; "" before the birth."""
    if not _may_live(birth, when):
        return ""
    months, days = _months_and_days(birth, when)
    return _age_words(months, days)


def _age_words(months: int, days: int) -> str:
    if months < 1:
        return f"{days}天"
    years, rest = divmod(months, 12)
    if years >= 3:
        return f"{years}岁"
    return (f"{years}岁" if years else "") + (f"{rest}个月" if rest else "")


class Patient(Strict):
    """Who the record is about."""

    id: Identifier
    name: ShortText = ""
    sex: Sex | None = None
    birth_date: date | None = None
    age_text: ShortText = ""
    age_years: float | None = Field(default=None, ge=0, le=OLDEST)

    def age_at(self, when: date) -> float | None:
        """Age in years on ``when``; None when neither age nor birth date is known."""
        if self.age_years is not None:
            return self.age_years
        if self.birth_date is None or not _may_live(self.birth_date, when):
            return None
        months, days = _months_and_days(self.birth_date, when)
        return months / 12 + days / 372

    def age_words(self, when: date) -> str:
        """The age as written in the record, else from the birth date or the years; "" if none."""
        if self.age_text:
            return self.age_text
        if self.birth_date is not None:
            return age_in_words(self.birth_date, when)
        if self.age_years is None:
            return ""
        months = int(self.age_years * 12 + 1e-6)
        return _age_words(months, int(self.age_years * 365.2425 + 1e-6))


NoteKind = Literal[
    "admission",
    "first_progress",
    "progress",
    "operation",
    "consultation",
    "discharge_day",
    "nursing",
    "structured",
    "other",
]


class Note(Strict):
    """One text of the record.  ``text`` is never changed: offsets point into it."""

    id: Identifier
    kind: NoteKind = "other"
    title: ShortText = ""
    written_at: Moment | None = None
    author: ShortText = ""
    text: NoteText


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
    def from_text(cls, text: str, *, patient_id: str, encounter_id: str) -> Encounter:
        """An encounter that is one free text, kept whole as the note ``text``."""
        note = Note(id="text", kind="other", title="病历原文", text=text)
        return cls(id=encounter_id, patient=Patient(id=patient_id), notes=[note])

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


CASE_FIELDS = {
    "chief_complaint": "主诉",
    "present_illness": "现病史",
    "past_history": "既往史",
    "examination": "体格检查",
    "tests": "辅助检查",
    "text": "病历原文",
}


class Case(Strict):
    """What a differential diagnosis starts from: fields, or one free text, or both."""

    patient: Patient
    encounter_id: Identifier
    chief_complaint: Annotated[str, StringConstraints(max_length=2_000)] = ""
    present_illness: Annotated[str, StringConstraints(max_length=20_000)] = ""
    past_history: Annotated[str, StringConstraints(max_length=20_000)] = ""
    examination: Annotated[str, StringConstraints(max_length=20_000)] = ""
    tests: Annotated[str, StringConstraints(max_length=20_000)] = ""
    text: Annotated[str, StringConstraints(max_length=100_000)] = ""

    def notes(self) -> list[Note]:
        """Each filled field as a note whose id is the field's name."""
        return [
            Note(id=field, kind="other", title=title, text=getattr(self, field))
            for field, title in CASE_FIELDS.items()
            if getattr(self, field).strip()
        ]

    def missing_fields(self) -> list[str]:
        """Chinese names of the fields that are empty; none when a free text is given."""
        if self.text.strip():
            return []
        return [
            title
            for field, title in CASE_FIELDS.items()
            if field != "text" and not getattr(self, field).strip()
        ]

    def record_hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of the case."""
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()
