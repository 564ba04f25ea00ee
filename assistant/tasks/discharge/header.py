"""The header of a discharge record: from the data, else as the text of the record writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

from assistant.draft import NOT_RECORDED
from assistant.grounding.segments import Scope, Segment, segment_notes
from assistant.record.diagnosis import Diagnosis
from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.record.patient import SEX_ZH
from assistant.tasks.discharge.draft import DischargeHeader
from assistant.tasks.discharge.written import bodies, listed, scope_at

SEE_RECORD = "见病历原文"
"""Where the record says it more than once and differently."""

_FULL_DATE = re.compile(r"(\d{4})\s*[年\-/.]\s*(\d{1,2})\s*[月\-/.]\s*(\d{1,2})")
_DATE = r"(?:(?:\d{4}|\d{2})\s*[年\-/.]\s*)?\d{1,2}\s*[月\-/.]\s*\d{1,2}\s*日?"
_DATES = {
    "admitted_on": (
        rf"入院(?:日期|时间)\s*[：:为]?\s*({_DATE})",
        rf"({_DATE})[^。；;，,\n\d]{{0,30}}(?:入院|收入院|收住|住入)",
    ),
    "discharged_on": (
        rf"出院(?:日期|时间)\s*[：:为]?\s*({_DATE})",
        rf"({_DATE})[^。；;，,\n\d]{{0,10}}出院(?!后)",
    ),
}
_LABELS = {
    "patient_name": (r"姓\s*名\s*[：:]\s*([\u4e00-\u9fff·A-Za-z]{2,20})",),
    "sex": (
        r"性\s*别\s*[：:]\s*([男女])",
        r"患[者儿][^。；;\n]{0,8}[，,、]\s*([男女])(?!儿|友|朋)",
    ),
    "age": (
        r"年\s*龄\s*[：:]\s*(\d{1,3}\s*(?:岁|个?月|天))",
        r"[男女]性?[，,、]\s*(\d{1,3}\s*(?:岁|个?月|天))",
    ),
    "department": (r"科\s*[室别]\s*[：:]\s*([\u4e00-\u9fff]{2,20})",),
    "days": (r"住院天数\s*[：:为]?\s*(\d+\s*天)", r"(?:共住院|住院共)\s*(\d+\s*天)"),
}


def header(encounter: Encounter) -> DischargeHeader:
    """Identity, dates and admission diagnoses as the data or the text has them, else 病历未记载."""
    notes = encounter.all_notes()
    admitted, discharged = encounter.admitted_at, encounter.discharged_at
    segments = segment_notes(notes, admission_day(encounter, notes))
    patient = encounter.patient

    def stated(patterns: Sequence[str]) -> str:
        return _said(notes, segments, patterns)

    admitted_on = _day(admitted) or stated(_DATES["admitted_on"])
    discharged_on = _day(discharged) or stated(_DATES["discharged_on"])
    return DischargeHeader(
        patient_name=patient.name or stated(_LABELS["patient_name"]) or NOT_RECORDED,
        sex=SEX_ZH.get(patient.sex or "") or stated(_LABELS["sex"]) or NOT_RECORDED,
        age=patient.age_words((admitted or discharged or datetime.now()).date())
        or stated(_LABELS["age"])
        or NOT_RECORDED,
        department=encounter.department or stated(_LABELS["department"]) or NOT_RECORDED,
        admitted_on=admitted_on or NOT_RECORDED,
        discharged_on=discharged_on or NOT_RECORDED,
        days_in_hospital=_days(admitted_on, discharged_on)
        or stated(_LABELS["days"])
        or NOT_RECORDED,
        admission_diagnoses=_admission_diagnoses(encounter, notes, segments) or [NOT_RECORDED],
        pending_results=pending(encounter),
    )


def admission_day(encounter: Encounter, notes: Sequence[Note]) -> date | None:
    """The day of admission from the data, else as the text writes it in full."""
    if encounter.admitted_at is not None:
        return encounter.admitted_at.date()
    return _date(_said(notes, segment_notes(notes), _DATES["admitted_on"]))


def pending(encounter: Encounter) -> list[str]:
    """Names of results that are still outstanding."""
    tests = [o.name for o in encounter.observations if o.status == "pending"]
    orders = [o.text for o in encounter.orders if o.status == "pending"]
    return list(dict.fromkeys([*tests, *orders]))


def diagnosis_text(row: Diagnosis) -> str:
    """``2型糖尿病（E11.9）``"""
    return row.name + (f"（{row.icd10}）" if row.icd10 else "")


def _admission_diagnoses(
    encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> list[str]:
    if rows := [diagnosis_text(d) for d in encounter.diagnoses if d.kind == "admission"]:
        return rows
    for names in ("入院诊断", "初步诊断"):
        found = [entries for b in bodies(notes, segments, names) if (entries := listed(b))]
        if found:
            return [entry.text for entry in found[-1]]
    return []


def _said(notes: Sequence[Note], segments: Sequence[Segment], patterns: Sequence[str]) -> str:
    """What the first pattern that is found captures, outside of earlier stays; "" without one."""
    for pattern in patterns:
        found = {
            re.sub(r"\s", "", match[1])
            for note in notes
            if note.kind != "structured"
            for match in re.finditer(pattern, note.text)
            if scope_at(segments, note, match.start(1)) is not Scope.PRIOR
        }
        if found:
            return found.pop() if len(found) == 1 else SEE_RECORD
    return ""


def _day(value: date | datetime | None) -> str:
    return f"{value.year}年{value.month}月{value.day}日" if value else ""


def _date(text: str) -> date | None:
    match = _FULL_DATE.match(text)
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None


def _days(admitted_on: str, discharged_on: str) -> str:
    first, last = _date(admitted_on), _date(discharged_on)
    return f"{(last - first).days}天" if first and last and last >= first else ""
