"""The piece of a sentence that a question asks for: an amount, a day, how long, a side, who."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.record.fields import written_day
from assistant.tasks.record_qa.days import NamedDay, days_in
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.wanted import Wanted
from knowledge.text.amount import Quantity
from knowledge.text.changes import changes
from knowledge.text.folding import fold
from knowledge.text.quantity import quantities
from knowledge.text.times import Anchors, Time, times


@dataclass(frozen=True, slots=True)
class Clause:
    """The clauses of one sentence that are about what is asked, at ``[start, end)`` of the note."""

    note: NoteReading
    start: int
    end: int
    sentence: int

    @property
    def text(self) -> str:
        """Their words."""
        return self.note.text[self.start : self.end]

    @property
    def lead(self) -> str:
        """The sentence up to their end."""
        return self.note.text[self.sentence : self.end]


@dataclass(frozen=True, slots=True)
class Piece:
    """What was found: its words, a number, the day it is of, and whether it has a unit."""

    shown: str
    number: float | None
    day: date | None
    measured: bool = False


Extract = Callable[[Clause, Wanted, RecordReading], list[Piece]]


def extract(clause: Clause, wanted: Wanted, reading: RecordReading) -> list[Piece]:
    """The pieces of the kind that is wanted; none where the clause has none."""
    return _EXTRACTS[wanted.kind](clause, wanted, reading)


def day_of(clause: Clause, reading: RecordReading) -> date | None:
    """The day that a clause speaks of: the last whole one named up to its end, else the note's."""
    named = _days(clause, reading)
    return named[-1].day if named else clause.note.day


def _days(clause: Clause, reading: RecordReading) -> list[NamedDay]:
    admitted = reading.admitted.date() if reading.admitted else None
    return days_in(clause.lead, clause.note.day, admitted)


def _times(text: str, note: NoteReading, reading: RecordReading) -> list[Time]:
    admitted = reading.admitted.date() if reading.admitted else None
    return times(text, Anchors(admission=admitted, note=note.day))


_COUNTERS = "颗枚个支根片粒次条袋块组分度级"
_COUNTED = {"颗": "颗枚个粒", "个": "个枚颗支根次", "枚": "枚个颗", "支": "支根个", "根": "根支条",
            "粒": "粒颗枚", "条": "条根"}  # fmt: skip


def _amount(clause: Clause, wanted: Wanted, reading: RecordReading) -> list[Piece]:
    """The first amount behind the words that are asked for, else those before them."""
    found: list[tuple[int, Piece]] = []
    every = quantities(clause.text)
    # 由80ml降为30ml is one piece, and its last value the present one.
    series = {one.quantities[0].start: one.quantities for one in changes(clause.text, every)}
    later = {q.start for group in series.values() for q in group[1:]}
    for quantity in every:
        group = series.get(quantity.start, (quantity,))
        parts = [_shown(one, clause.text, wanted) for one in group]
        if quantity.start in later or not all(parts):
            continue
        piece = Piece(
            "→".join(parts),
            _number(group[-1]),
            day_of(clause, reading),
            measured=bool(quantity.unit),
        )
        found.append((quantity.start, piece))
    return _behind(found, clause, wanted)


def _behind(found: Sequence[tuple[int, Piece]], clause: Clause, wanted: Wanted) -> list[Piece]:
    text = fold(clause.text)
    about = max((text.find(run) for run in wanted.runs), default=-1)
    behind = [piece for at, piece in found if at > about]
    return behind[:1] if behind and about >= 0 else [piece for _, piece in found][:2]


def _shown(quantity: Quantity, text: str, wanted: Wanted) -> str:
    """An amount as it is written with its counter; "" where it is not of the kind asked for."""
    if not quantity.values or quantity.unit.measures("time", "months"):
        return ""
    shown = text[quantity.lead or quantity.start : quantity.tail or quantity.end]
    after = text[quantity.end : quantity.end + 1]
    counter = after if after and after in _COUNTERS and not shown.endswith(after) else ""
    if wanted.counter:
        counted = _COUNTED.get(wanted.counter, wanted.counter)
        return shown + counter if any(c in shown + after for c in counted) else ""
    if wanted.unit and not wanted.unit.converts_to(quantity.unit):
        return ""
    return shown + counter if quantity.unit or counter else ""


def _number(quantity: Quantity) -> float | None:
    return float(quantity.values[0]) if len(quantity.values) == 1 else None


_LATER = re.compile(
    r"(?:[术出院入疗]{1,2}后第?)?[\d一二两三四五六七八九十半]+个?(?:天|日|周|月|年)(?:后|内|左右)"
)


def _when(clause: Clause, wanted: Wanted, reading: RecordReading) -> list[Piece]:
    if wanted.to_come and (hit := _LATER.search(clause.text)):
        return [Piece(hit[0], None, None)]
    own = clause.start - clause.sentence
    days = _days(clause, reading)
    if days and (days[-1].start >= own or not wanted.to_come):
        return [Piece(written_day(days[-1].day), None, days[-1].day)]
    for time in _times(clause.text, clause.note, reading):
        # 2021年, 3年前, 术后4周: as exactly as the note has it.
        if time.kind in ("date", "relative"):
            return [Piece(clause.text[time.start : time.end], None, None)]
    day = clause.note.day
    known = day is not None and not wanted.earlier and not wanted.to_come
    return [Piece(written_day(day), None, day)] if day and known else []


def _nth_day(clause: Clause, wanted: Wanted, reading: RecordReading) -> list[Piece]:
    day, operated = day_of(clause, reading), reading.operated
    if day is None or operated is None or day < operated.date():
        return []
    count = (day - operated.date()).days
    return [Piece(f"术后第{count}天（{written_day(day)}）", None, day)]


def _how_long(clause: Clause, wanted: Wanted, reading: RecordReading) -> list[Piece]:
    found = [t for t in _times(clause.text, clause.note, reading) if t.kind == "duration"]
    kept = [
        (t.start, Piece(clause.text[t.start : t.end], t.days, day_of(clause, reading)))
        for t in found
    ]
    return _behind(kept, clause, wanted) or [
        Piece(clause.text[t.start : t.end], None, None)
        for t in _times(clause.text, clause.note, reading)
        if t.kind == "relative" and wanted.earlier
    ]


def _words(pattern: str) -> Extract:
    compiled = re.compile(pattern)

    def find(clause: Clause, wanted: Wanted, reading: RecordReading) -> list[Piece]:
        day = day_of(clause, reading)
        return [Piece(hit[0], None, day) for hit in compiled.finditer(clause.text)][:2]

    return find


_EXTRACTS: dict[str, Extract] = {
    "amount": _amount,
    "when": _when,
    "nth_day": _nth_day,
    "how_long": _how_long,
    "side": _words(r"(?:双|左|右|两)侧?(?:前|后|上|下)?(?=[\u4e00-\u9fff])"),
    "grade": _words(
        r"p?T\d[a-c]?N\d[a-c]?M\d|[ⅠⅡⅢⅣⅤIV]{1,3}[A-Ca-c]?\d?[级期度](?:[+-])?|[一二三四五0-5]{1,2}[+-]?[级期度][+-]?"
    ),
    "who": _words(
        r"[\u4e00-\u9fff]{2,3}(?=(?:副?主任|主治|住院|主管)?(?:医[师生]|护[士师]))|[\u4e00-\u9fff]{2,3}主任"
    ),
    "department": _words(r"[\u4e00-\u9fff]{1,6}?科(?=会诊|[\u4e00-\u9fff]{0,4}(?:建议|意见|评估))"),
}
