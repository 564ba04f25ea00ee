"""The days that a text of the record names, as whole dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from knowledge.text.folding import fold
from knowledge.text.times import Anchors, times

_SHORT = re.compile(
    r"(?<![\d.:/×*~-])(1[0-2]|0?[1-9])[-/.](3[01]|[12]\d|0?[1-9])"
    r"(?![\d.%×*/:-]|\s*(?:[a-z]|天|次|个|片|粒|支|分|岁|周|年|小时|级|度|枚|℃|倍))"
)
_NO_YEAR = re.compile(r"--(\d\d)-(\d\d)")
_FURTHEST = 120
"""Days from the note within which 11-10 is a date and no range."""


@dataclass(frozen=True, slots=True)
class NamedDay:
    """A day at ``[start, end)``; ``said`` as it is written (昨日, 11-10)."""

    day: date
    start: int
    end: int


def days_in(text: str, note: date | None, admission: date | None = None) -> list[NamedDay]:
    """The whole days of a text in its order; a month and day alone is of the year of the note."""
    found: list[NamedDay] = []
    for time in times(text, Anchors(admission=admission, note=note)):
        if not time.exact or time.kind not in ("date", "relative"):
            continue
        if day := _whole(time.value, note):
            found.append(NamedDay(day, time.start, time.end))
    for hit in _SHORT.finditer(fold(text)) if note else ():
        if any(one.start < hit.end() and hit.start() < one.end for one in found):
            continue
        if day := _of_year(int(hit[1]), int(hit[2]), note):
            found.append(NamedDay(day, *hit.span()))
    return sorted(found, key=lambda one: one.start)


def _whole(value: str, note: date | None) -> date | None:
    """The day of 2026-03-02, or of --03-02 (3月2日); None where it is no whole day."""
    if part := _NO_YEAR.fullmatch(value):
        return _of_year(int(part[1]), int(part[2]), note)
    try:
        return date.fromisoformat(value) if len(value) == 10 else None
    except ValueError:
        return None


def _of_year(month: int, day: int, near: date | None) -> date | None:
    """The day of that month nearest to a note; None where there is none within some months."""
    if near is None:
        return None
    best: date | None = None
    for year in (near.year - 1, near.year, near.year + 1):
        try:
            one = date(year, month, day)
        except ValueError:
            continue
        if abs((one - near).days) <= _FURTHEST and (
            best is None or abs((one - near).days) < abs((best - near).days)
        ):
            best = one
    return best
