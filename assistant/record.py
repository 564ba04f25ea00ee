"""The record: a patient, one encounter, and its notes with their offsets kept.

A record comes as plain JSON (`Encounter.model_validate`) or as free text (`Encounter.from_text`).
Structured rows (observations, medication, orders) are also rendered as notes, one row a line, so
that whatever a draft says can point to a `Span`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:-]*$")
]
ShortText = Annotated[str, StringConstraints(max_length=500)]
NoteText = Annotated[str, StringConstraints(max_length=200_000)]
Sex = Literal["male", "female"]
SEX_ZH = {"male": "男", "female": "女"}


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class Patient(_Strict):
    """Who the record is about."""

    id: Identifier
    name: ShortText = ""
    sex: Sex | None = None
    birth_date: date | None = None
    age_text: ShortText = ""
    age_years: float | None = Field(default=None, ge=0, le=150)

    def age_at(self, when: date) -> float | None:
        """Age in years on ``when``; None when neither age nor birth date is known."""
        if self.age_years is not None:
            return self.age_years
        if self.birth_date is None or self.birth_date > when:
            return None
        return (when - self.birth_date).days / 365.2425


class Diagnosis(_Strict):
    """A diagnosis that a doctor has written down; the code is as given, never looked up."""

    kind: Literal["admission", "discharge"] = "admission"
    name: ShortText
    icd10: ShortText | None = None
    primary: bool = False


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


class Note(_Strict):
    """One text of the record.  ``text`` is never changed: offsets point into it."""

    id: Identifier
    kind: NoteKind = "other"
    title: ShortText = ""
    written_at: datetime | None = None
    author: ShortText = ""
    text: NoteText


class Observation(_Strict):
    """A laboratory or bedside value."""

    id: Identifier
    name: ShortText
    value: ShortText = ""
    unit: ShortText = ""
    reference: ShortText = ""
    flag: Literal["high", "low", "normal", "abnormal"] | None = None
    at: datetime | None = None
    status: Literal["final", "pending"] = "final"


class Order(_Strict):
    """A test, imaging study, diet or other order that is not a drug."""

    id: Identifier
    kind: Literal["test", "imaging", "nursing", "diet", "other"] = "other"
    text: ShortText
    ordered_at: datetime | None = None
    status: Literal["active", "completed", "stopped", "pending"] = "active"


class Medication(_Strict):
    """A drug order; ``discharge`` marks what the patient takes home."""

    id: Identifier
    name: ShortText
    specification: ShortText = ""
    dose: ShortText = ""
    route: ShortText = ""
    frequency: ShortText = ""
    days: int | None = Field(default=None, ge=0, le=3650)
    start: date | None = None
    stop: date | None = None
    discharge: bool = False


class Operation(_Strict):
    """An operation or interventional procedure."""

    id: Identifier
    name: ShortText
    at: datetime | None = None
    laterality: Literal["left", "right", "both"] | None = None
    note_id: Identifier | None = None


class Encounter(_Strict):
    """One stay or visit, with all that was written in it."""

    id: Identifier
    patient: Patient
    department: ShortText = ""
    ward: ShortText = ""
    bed: ShortText = ""
    admitted_at: datetime | None = None
    discharged_at: datetime | None = None
    diagnoses: list[Diagnosis] = Field(default_factory=list, max_length=200)
    notes: list[Note] = Field(default_factory=list, max_length=500)
    observations: list[Observation] = Field(default_factory=list, max_length=5000)
    orders: list[Order] = Field(default_factory=list, max_length=5000)
    medications: list[Medication] = Field(default_factory=list, max_length=2000)
    operations: list[Operation] = Field(default_factory=list, max_length=200)

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
            Note(id=f"table:{key}", kind="structured", title=title, text="\n".join(lines))
            for key, title, lines in tables
            if lines
        ]

    def note(self, note_id: str) -> Note | None:
        """The note with this id, structured ones included."""
        return next((n for n in self.all_notes() if n.id == note_id), None)


def _day(value: date | datetime | None) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


FLAG_ZH = {"high": "↑", "low": "↓", "abnormal": "异常", "normal": ""}
LATERALITY_ZH = {"left": "左侧", "right": "右侧", "both": "双侧"}
ORDER_STATUS_ZH = {
    "active": "执行中",
    "completed": "已完成",
    "stopped": "已停止",
    "pending": "结果未回",
}


def diagnosis_line(row: Diagnosis) -> str:
    """``出院诊断：2型糖尿病（E11.9）``"""
    kind = "入院诊断" if row.kind == "admission" else "出院诊断"
    return f"{kind}：{row.name}" + (f"（{row.icd10}）" if row.icd10 else "")


def operation_line(row: Operation) -> str:
    """``2026年3月5日 左侧 胫骨骨折切开复位内固定术``"""
    side = LATERALITY_ZH[row.laterality] if row.laterality else ""
    return " ".join(part for part in (_day(row.at), side, row.name) if part)


def observation_line(row: Observation) -> str:
    """``2026年3月5日 白细胞计数 13.2 10^9/L ↑（参考 3.5-9.5）``"""
    if row.status == "pending":
        return " ".join(part for part in (_day(row.at), row.name, "结果未回") if part)
    flag = FLAG_ZH[row.flag] if row.flag else ""
    line = " ".join(part for part in (_day(row.at), row.name, row.value, row.unit, flag) if part)
    return line + (f"（参考 {row.reference}）" if row.reference else "")


def medication_line(row: Medication) -> str:
    """``出院带药：阿司匹林肠溶片 100mg/片 每次100mg 口服 每日1次 30天``"""
    period = " 至 ".join(day for day in (_day(row.start), _day(row.stop)) if day)
    parts = (
        row.name,
        row.specification,
        f"每次{row.dose}" if row.dose else "",
        row.route,
        row.frequency,
        f"{row.days}天" if row.days is not None else "",
        period,
    )
    prefix = "出院带药：" if row.discharge else "住院用药："
    return prefix + " ".join(part for part in parts if part)


def order_line(row: Order) -> str:
    """``2026年3月5日 胸部CT平扫 已完成``"""
    return " ".join(
        part for part in (_day(row.ordered_at), row.text, ORDER_STATUS_ZH[row.status]) if part
    )


CASE_FIELDS = {
    "chief_complaint": "主诉",
    "present_illness": "现病史",
    "past_history": "既往史",
    "examination": "体格检查",
    "tests": "辅助检查",
    "text": "病历原文",
}


class Case(_Strict):
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
