"""What a discharge record copies from the record: diagnoses, orders, and what is missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assistant.draft import NOT_RECORDED, Statement
from assistant.grounding.segments import Scope, Segment
from assistant.record.diagnosis import diagnosis_line
from assistant.record.encounter import RESERVED, Encounter
from assistant.record.evidence import TextSpan
from assistant.record.medication import Medication, medication_line
from assistant.record.note import Note
from assistant.record.observation import observation_line
from assistant.record.order import order_line
from assistant.tasks.discharge.draft import SectionName
from assistant.tasks.discharge.header import diagnosis_text, header, pending
from assistant.tasks.discharge.written import OPENING, Written, bodies, listed, sentences
from knowledge.text.finding import Span
from knowledge.text.regimens import regimens

__all__ = ["copied_sections", "header", "not_recorded"]


def not_recorded(statement_id: str, item: str) -> Statement:
    """``过敏史：病历未记载``, which is a statement about the record and needs no span."""
    text = f"{item}：{NOT_RECORDED}" if item else NOT_RECORDED
    return Statement(id=statement_id, text=text, status="supported", origin="record")


def copied_sections(
    encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> dict[SectionName, list[Statement]]:
    """The sections that are copied, each statement with the row or sentence it is copied from.

    出院诊断 and 出院医嘱 always; 出院情况 where the text has it under such a heading.
    """
    copied: dict[SectionName, list[Statement]] = {
        "discharge_diagnosis": _diagnoses(encounter, notes, segments),
        "discharge_orders": _orders(encounter, notes, segments),
    }
    if not any(n.kind == "discharge_day" for n in notes):
        found = bodies(notes, segments, "出院(?:时)?情况", OPENING)
        if found:
            copied["discharge_condition"] = [
                _copied(f"discharge_condition-{number}", s.text + "。", s)
                for number, s in enumerate(sentences(found[-1]), 1)
            ]
    return copied


def _copied(statement_id: str, text: str, source: Written) -> Statement:
    span = Span(note_id=source.note.id, start=source.start, end=source.end)
    return Statement(
        id=statement_id,
        text=text,
        status="supported",
        origin="record",
        evidence=[TextSpan.at(span, source.text)],
    )


def _row(notes: Iterable[Note], table: str, line: str) -> Written:
    """The whole line of a table, not a longer line that begins with the same words."""
    note = next(n for n in notes if n.id == RESERVED + table)
    start = f"\n{note.text}\n".index(f"\n{line}\n")
    return Written(note, start, start + len(line))


def _name_in(line: Written, name: str) -> Written:
    start = line.start + line.text.index("：") + 1
    return Written(line.note, start, start + len(name))


def _diagnoses(
    encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> list[Statement]:
    rows = [d for d in encounter.diagnoses if d.kind == "discharge"]
    rows.sort(key=lambda d: not d.primary)
    if rows:
        return [
            _copied(
                f"discharge_diagnosis-{number}",
                f"{number}. {diagnosis_text(row)}",
                _name_in(_row(notes, "diagnoses", diagnosis_line(row)), row.name),
            )
            for number, row in enumerate(rows, 1)
        ]
    for names in ("出院诊断", "最后诊断|目前诊断"):
        found = [entries for b in bodies(notes, segments, names, OPENING) if (entries := listed(b))]
        if found:
            return [
                _copied(f"discharge_diagnosis-{number}", entry.text, entry)
                for number, entry in enumerate(found[-1], 1)
            ]
    return [not_recorded("discharge_diagnosis-1", "")]


_REFUSED = re.compile(r"拒绝|不同意|不愿|不能配合|无需|不需")
_ADVICE = re.compile(
    r"(?<![遵医])嘱(?!托)|建议|出院后|带药|定期|定于|不可|不适.{0,6}(?:随诊|就诊)"
    r"|(?:后|每周|每月|门诊)[^，。]{0,14}(?:复查|复诊|拆线|随访|随诊|换药|就诊|取)"
    r"|继续(?:口服|服用|服药|使用|吸入|康复|功能锻炼|随访)"
    r"|^\s*(?:注意(?!力)|避免|忌|禁(?:忌|止|烟|酒)|戒烟|戒酒|休息(?=[\d一二两三四])|加强|低[盐脂糖]|清淡)"
)
_FOLLOW_UP = re.compile(r"复查|复诊|随访|随诊|门诊|返院|就诊|拆线|换药")
_TAKE_HOME = re.compile(r"带药|(?:出院|嘱)[^。\n]{0,40}(?:口服|服用|吸入|外用|皮下注射)")


def _advice(text: str) -> str:
    """The clauses of a sentence without those that tell of a refusal; "" if none advises."""
    clauses = [c for c in re.split(r"[，,]", text) if not _REFUSED.search(c)]
    return "，".join(clauses) if any(_ADVICE.search(c) for c in clauses) else ""


def _medication(row: Medication) -> str:
    """The row as a line, with the fields that the data does not have."""
    fields = (
        ("规格", row.specification or None),
        ("剂量", row.dose or None),
        ("用法", row.route or None),
        ("频次", row.frequency or None),
        ("天数", row.days),
    )
    absent = "、".join(name for name, value in fields if value is None)
    line = medication_line(row).removeprefix("出院带药：")
    return line + (f"（{absent}：{NOT_RECORDED}）" if absent else "")


def _taken_home(sentence: str) -> str:
    """A sentence behind 出院带药：as a line of its own.

    Where the drugs have ended and it goes on with when to come again, that is no drug.
    """
    is_advice = _FOLLOW_UP.search(sentence) and not regimens(sentence)
    return f"{sentence}。" if is_advice else f"出院带药：{sentence}"


def _written_orders(notes: Sequence[Note], segments: Sequence[Segment]) -> list[Written]:
    """Sentences under 出院医嘱, and sentences that advise, of the discharge; none twice."""
    found = [s for b in bodies(notes, segments, "出院(?:医嘱|指导)", OPENING) for s in sentences(b)]
    taken = [*found, *bodies(notes, segments, "(?:出院)?带药", OPENING)]
    by_id = {n.id: n for n in notes}
    for segment in segments:
        note = by_id[segment.note_id]
        if note.kind == "structured" or note.kind in OPENING or segment.scope is Scope.PRIOR:
            continue
        if note.kind != "discharge_day" and "出院" not in segment.text:
            continue
        if segment.text.endswith(("：", ":")):
            continue
        place = Written(note, segment.start, segment.end)
        known = any(t.note is note and t.start < place.end and place.start < t.end for t in taken)
        if not known and _advice(segment.text):
            found.append(place)
    return found


def _orders(
    encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
) -> list[Statement]:
    rows = [m for m in encounter.medications if m.discharge]
    lines = [(_medication(m), _row(notes, "medications", medication_line(m))) for m in rows]
    if not rows:
        taken_home = bodies(notes, segments, "(?:出院)?带药", OPENING)
        lines += [(_taken_home(s.text), s) for b in taken_home for s in sentences(b)]
    has_medication = bool(lines)
    written = _written_orders(notes, segments)
    lines += [(s.text + "。", s) for s in written]
    follow_up = any(_FOLLOW_UP.search(_advice(s.text) or s.text) for s in written)
    if not follow_up:
        active = [o for o in encounter.orders if o.status == "active" and _FOLLOW_UP.search(o.text)]
        lines += [(o.text, _row(notes, "orders", order_line(o))) for o in active]
        follow_up = bool(active)
    statements = [
        _copied(f"discharge_orders-{number}", f"{number}. {text}", source)
        for number, (text, source) in enumerate(lines, 1)
    ]
    missing = []
    if not has_medication and not _said(notes, segments, _TAKE_HOME):
        missing.append("出院带药")
    if not follow_up and not _advised(notes, segments):
        missing.append("随访与复查安排")
    statements += [
        not_recorded(f"discharge_orders-missing{n}", item) for n, item in enumerate(missing, 1)
    ]
    return statements + _pending(encounter, notes)


def _of_the_stay(notes: Sequence[Note], segments: Sequence[Segment]) -> list[str]:
    kinds = {n.id: n.kind for n in notes}
    return [
        s.text
        for s in segments
        if s.scope is not Scope.PRIOR and kinds[s.note_id] not in {*OPENING, "structured"}
    ]


def _said(notes: Sequence[Note], segments: Sequence[Segment], pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(text) for text in _of_the_stay(notes, segments))


def _advised(notes: Sequence[Note], segments: Sequence[Segment]) -> bool:
    """Whether any sentence of the stay advises a follow-up, at whatever time."""
    return any(_FOLLOW_UP.search(_advice(text)) for text in _of_the_stay(notes, segments))


def _pending(encounter: Encounter, notes: Sequence[Note]) -> list[Statement]:
    """One statement for each outstanding result; a name that both tables have comes once."""
    sources = {
        o.text: _row(notes, "orders", order_line(o))
        for o in encounter.orders
        if o.status == "pending"
    } | {
        o.name: _row(notes, "observations", observation_line(o))
        for o in encounter.observations
        if o.status == "pending"
    }
    return [
        _copied(f"discharge_orders-pending{number}", f"待回报结果：{name}", sources[name])
        for number, name in enumerate(pending(encounter), 1)
    ]
