"""What the head of a record says in fields, read from the notes where the fields are empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from assistant.grounding.segments import Scope
from assistant.grounding.stance import NOT_THERE, stances
from assistant.record.note import Note
from assistant.record.patient import Sex
from assistant.tasks.record_qa.days import days_in

if TYPE_CHECKING:
    from assistant.tasks.record_qa.reading import NoteReading

_OPENING = ("admission", "first_progress")
_ADMITTED = re.compile(r"入院(?:时间|日期)\s*[:：]\s*([^，。；\n]{6,24})")
_OPERATED = re.compile(r"手术(?:时间|日期)\s*[:：]\s*([^，。；\n]{6,24})")
_NAMED = re.compile(r"(?:手术|操作)名称\s*[:：]\s*([^。；\n]{2,60})")
_DONE = re.compile(
    r"(?<![可宜能])(?<!限期)行([^，。；\n]{2,40}?(?:术|PCI|剖宫产))(?![前后中式野者区语])"
)
_CLOCK = re.compile(r"(\d{1,2})[:：](\d{2})")
_AGE = re.compile(r"(?<![\d.])(\d{1,3})\s*(?:周)?岁(?!时|前|起|后)")
_MONTHS = re.compile(r"(?<![\d.])(\d{1,2})\s*个月(?=[，,男女患]|大)")
_NAME = re.compile(r"\s*(?:姓名[:：])?([\u4e00-\u9fff]{2,4})[，,、 ]\s*[男女](?=[，,、。性 ])")
_SEX = re.compile(
    r"(?:^|[，,、。；;：: ]|患[者儿]|老年|中年|青年|岁)(男|女)(?=[性，,、。；;孩婴 ]|$)",
    re.MULTILINE,
)


def naive(at: datetime | None) -> datetime | None:
    """The local time without its zone, so that times with and without one compare."""
    return at.replace(tzinfo=None) if at else None


def _opening(notes: Sequence[Note]) -> Iterator[Note]:
    """The notes that tell who the patient is, those of the admission first."""
    yield from (n for n in notes if n.kind in _OPENING)
    yield from (n for n in notes if n.kind not in _OPENING)


def told_admission(notes: Sequence[Note]) -> datetime | None:
    """The time of admission as a note says it, else when the admission note was written."""
    for note in notes:
        if (hit := _ADMITTED.search(note.text)) and (at := _moment(hit[1], note)):
            return at
    return next((naive(n.written_at) for n in notes if n.kind == "admission"), None)


def told_discharge(notes: Sequence[Note]) -> datetime | None:
    """When the note of the discharge was written."""
    return next((naive(n.written_at) for n in reversed(notes) if n.kind == "discharge_day"), None)


@dataclass(frozen=True, slots=True)
class ToldOperation:
    """An operation that a note tells as done, at ``[start, end)`` of it."""

    name: str
    at: datetime | None
    note: Note
    start: int
    end: int


def told_operations(notes: Sequence[NoteReading]) -> list[ToldOperation]:
    """The operations that the notes of the stay tell: by their own notes, by 今日行…术.

    What a sentence tells of the time before (3年前行…术) or only for a case (必要时行…术) is none.
    """
    found: dict[str, ToldOperation] = {}
    for note in notes:
        written = naive(note.note.written_at)
        own = note.note.kind == "operation"
        dated = _OPERATED.search(note.text) if own else None
        day = (_moment(dated[1], note.note) if dated else None) or written
        if own and (hit := _NAMED.search(note.text)):
            one = ToldOperation(hit[1].strip(), day, note.note, *hit.span())
            found.setdefault(one.name, one)
        for hit in _DONE.finditer(note.text) if note.note.kind not in _OPENING else ():
            start = max(note.text.rfind(mark, 0, hit.start()) for mark in "。；;\n") + 1
            if note.scope(hit.start()) is Scope.PRIOR:
                continue
            if stances(note.text[start : hit.end()]) & (NOT_THERE | {"undone", "needed"}):
                continue
            at = _moment(note.text[start : hit.start()], note.note) or day
            if not any(hit[1] in name or name in hit[1] for name in found):
                found[hit[1]] = ToldOperation(hit[1], at, note.note, start, hit.end())
    return sorted(found.values(), key=lambda one: (one.at is None, one.at or datetime.min))


def told_operation(notes: Sequence[NoteReading]) -> datetime | None:
    """When the first operation was: as its note says, when that was written, or of 今日行…术."""
    for note in notes:
        if note.note.kind == "operation":
            hit = _OPERATED.search(note.text)
            told = _moment(hit[1], note.note) if hit else None
            return told or naive(note.note.written_at)
    return next((one.at for one in told_operations(notes) if one.at), None)


def _moment(text: str, note: Note) -> datetime | None:
    written = naive(note.written_at)
    found = days_in(text, written.date() if written else None)
    if not found:
        return None
    last = found[-1]
    clock = _CLOCK.search(text, last.end)
    hour, minute = (int(clock[1]), int(clock[2])) if clock else (0, 0)
    return datetime(last.day.year, last.day.month, last.day.day, hour % 24, minute % 60)


def told_age(notes: Sequence[Note]) -> float | None:
    """Years as the first note that says an age has them; a child's months as part of a year."""
    for note in _opening(notes):
        head = note.text[:120]
        if hit := _AGE.search(head):
            return float(hit[1])
        if hit := _MONTHS.search(head):
            return int(hit[1]) / 12
    return None


def told_name(notes: Sequence[Note]) -> str:
    """The name that a note begins with: 王建国，男，67岁; "" where none does."""
    hits = (_NAME.match(note.text) for note in _opening(notes))
    return next((hit[1] for hit in hits if hit), "")


def told_sex(notes: Sequence[Note]) -> Sex | None:
    """The sex that the first lines of the notes say."""
    for note in _opening(notes):
        if hit := _SEX.search(note.text[:120]):
            return "male" if hit[1] == "男" else "female"
    return None
