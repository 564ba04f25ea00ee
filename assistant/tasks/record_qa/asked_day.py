"""The day that a question names."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from assistant.tasks.record_qa.reading import RecordReading
from knowledge.text.times import Anchors, times

CHINESE = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2}
"""Small numbers as they are written."""

_DAY = re.compile(
    r"(?<!\d)(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})(?:日|号)?(?![\d.]*(?:mg|g|ml|u|mmol))"
)
_OPERATION_DAY = re.compile(r"术后第?([一二两三四五六七八九十\d]{1,2})[天日]")


def asked_day(folded: str, reading: RecordReading) -> tuple[date | None, str]:
    """The day that a question names, or the words of one that there is not."""
    admitted = reading.admitted.date() if reading.admitted else None
    if hit := _OPERATION_DAY.search(folded):
        days = CHINESE.get(hit[1]) or (int(hit[1]) if hit[1].isdigit() else 0)
        first = reading.operated
        if first is not None and days:
            return (first + timedelta(days=days)).date(), ""
    if hit := _DAY.search(folded):
        year = int(hit[1]) if hit[1] else _year(reading, int(hit[2]))
        try:
            return date(year, int(hit[2]), int(hit[3])), ""
        except ValueError:
            return None, hit[0]
    anchors = Anchors(admission=admitted, note=reading.last_day)
    for time in times(folded, anchors):
        if len(time.value) == 10 and not time.value.startswith("-") and time.exact:
            try:
                return date.fromisoformat(time.value), ""
            except ValueError:
                return None, folded[time.start : time.end]
    return None, ""


def _year(reading: RecordReading, month: int) -> int:
    """The year of a day that names none: that of the stay."""
    last = reading.last_day or datetime.now().date()
    first = reading.admitted.date() if reading.admitted else last
    return first.year if month >= first.month or first.year == last.year else last.year
