"""What a discharge record copies from the data: header, diagnoses, orders, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from assistant.chains.segments import Segment
from assistant.draft import (
    NOT_RECORDED,
    DischargeHeader,
    Evidence,
    SectionName,
    Statement,
)
from assistant.record import SEX_ZH, Diagnosis, Encounter, Note, medication_line
from knowledge.finding import Span


def header(encounter: Encounter) -> DischargeHeader:
    """Identity, dates and admission diagnoses as the data has them; 病历未记载 otherwise."""
    patient = encounter.patient
    admitted, discharged = encounter.admitted_at, encounter.discharged_at
    age = patient.age_text
    if not age:
        years = patient.age_at((admitted or datetime.now()).date())
        age = f"{years:.0f}岁" if years is not None else ""
    days = (discharged.date() - admitted.date()).days if admitted and discharged else None
    return DischargeHeader(
        patient_name=patient.name or NOT_RECORDED,
        sex=SEX_ZH.get(patient.sex or "", NOT_RECORDED),
        age=age or NOT_RECORDED,
        department=encounter.department or NOT_RECORDED,
        admitted_on=_day(admitted),
        discharged_on=_day(discharged),
        days_in_hospital=f"{days}天" if days is not None else NOT_RECORDED,
        admission_diagnoses=[_diagnosis(d) for d in encounter.diagnoses if d.kind == "admission"]
        or [NOT_RECORDED],
        pending_results=pending(encounter),
    )


def pending(encounter: Encounter) -> list[str]:
    """Names of results that are still outstanding."""
    tests = [o.name for o in encounter.observations if o.status == "pending"]
    orders = [o.text for o in encounter.orders if o.status == "pending"]
    return list(dict.fromkeys([*tests, *orders]))


def _day(value: date | datetime | None) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if value else NOT_RECORDED


def _diagnosis(row: Diagnosis) -> str:
    return row.name + (f"（{row.icd10}）" if row.icd10 else "")


def not_recorded(statement_id: str, item: str) -> Statement:
    """``过敏史：病历未记载``, which is a statement about the record and needs no span."""
    text = f"{item}：{NOT_RECORDED}" if item else NOT_RECORDED
    return Statement(id=statement_id, text=text, status="supported", origin="record")


def copied_sections(
    encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> dict[SectionName, list[Statement]]:
    """出院诊断 and 出院医嘱, each statement with the row or sentence that it is copied from."""
    return {
        "discharge_diagnosis": _diagnoses(encounter, notes, segments),
        "discharge_orders": _orders(encounter, notes, segments),
    }


def _copied(statement_id: str, text: str, note: Note, quote: str) -> Statement:
    start = note.text.index(quote)
    span = Span(note_id=note.id, start=start, end=start + len(quote))
    return Statement(
        id=statement_id,
        text=text,
        status="supported",
        origin="record",
        evidence=[Evidence(kind="record", quote=quote, span=span)],
    )


_WRITTEN_DIAGNOSIS = re.compile(
    r"(?:出院诊断|目前诊断|最后诊断)\s*[：:为]\s*(?P<names>[^\n。]{2,200})"
)


def _diagnoses(
    encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> list[Statement]:
    table = next((n for n in notes if n.id == "table:diagnoses"), None)
    rows = [d for d in encounter.diagnoses if d.kind == "discharge"]
    rows.sort(key=lambda d: not d.primary)
    if rows and table:
        return [
            _copied(
                f"discharge_diagnosis-{number}", f"{number}. {_diagnosis(row)}", table, row.name
            )
            for number, row in enumerate(rows, 1)
        ]
    for note in reversed(notes):
        match = _WRITTEN_DIAGNOSIS.search(note.text)
        if match and note.kind != "structured":
            names = match["names"].strip()
            return [_copied("discharge_diagnosis-1", names, note, names)]
    return [not_recorded("discharge_diagnosis-1", "")]


_ORDER = re.compile(
    r"出院后|复查|随访|随诊|门诊|不适.*就诊|注意|避免|忌|饮食|休息|继续|换药|拆线|康复|戒烟|监测|负重|禁"
)


def _orders(
    encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> list[Statement]:
    statements: list[Statement] = []

    def add(text: str, note: Note, quote: str) -> None:
        number = len(statements) + 1
        statements.append(_copied(f"discharge_orders-{number}", f"{number}. {text}", note, quote))

    medication = next((n for n in notes if n.id == "table:medications"), None)
    home = [m for m in encounter.medications if m.discharge]
    for row in home:
        assert medication is not None
        line = medication_line(row)
        gaps_of = [
            name
            for name, value in (
                ("规格", row.specification),
                ("剂量", row.dose),
                ("用法", row.route),
                ("频次", row.frequency),
                ("天数", row.days),
            )
            if not value
        ]
        note_gap = f"（{'、'.join(gaps_of)}：{NOT_RECORDED}）" if gaps_of else ""
        add(line.removeprefix("出院带药：") + note_gap, medication, line)
    by_id = {n.id: n for n in notes}
    for segment in segments:
        note = by_id[segment.note_id]
        if note.kind == "discharge_day" and _ORDER.search(segment.text):
            add(segment.text + "。", note, segment.text)
    outstanding = pending(encounter)
    missing = [] if home else ["出院带药"]
    if not any(
        by_id[s.note_id].kind == "discharge_day" and _ORDER.search(s.text) for s in segments
    ):
        missing.append("随访与复查安排")
    statements += [
        not_recorded(f"discharge_orders-missing{n}", item) for n, item in enumerate(missing, 1)
    ]
    for number, name in enumerate(outstanding, 1):
        table = next(n for n in notes if n.kind == "structured" and name in n.text)
        statements.append(
            _copied(f"discharge_orders-pending{number}", f"待回报结果：{name}", table, name)
        )
    return statements


_EXPECTED: dict[SectionName, list[tuple[str, re.Pattern[str]]]] = {
    "admission_condition": [
        ("主诉", re.compile(r"主\s*诉|因[“\"]?.{2,40}(?:入院|就诊)")),
        ("过敏史", re.compile(r"过敏")),
        ("入院查体", re.compile(r"查体|体格检查|体温|T\s*[:：]?\s*3\d")),
    ],
    "discharge_condition": [
        ("出院生命体征", re.compile(r"体温|血压|心率|脉搏|BP|T\s*[:：]?\s*3\d")),
    ],
}
_WHERE: dict[SectionName, tuple[str, ...]] = {
    "admission_condition": ("admission", "first_progress", "other"),
    "discharge_condition": ("discharge_day",),
}


def gaps(section: SectionName, notes: Sequence[Note]) -> list[str]:
    """Items that a reader expects in the section and that the record does not hold."""
    kinds = _WHERE.get(section, ())
    text = "\n".join(n.text for n in notes if n.kind in kinds)
    return [item for item, pattern in _EXPECTED.get(section, []) if not pattern.search(text)]
