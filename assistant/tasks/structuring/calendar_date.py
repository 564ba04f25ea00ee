"""Dates in ISO 8601 as exactly as they are known: 2024, 2024-03, 2024-03-05, --03-05."""

from __future__ import annotations

import re
from datetime import date, timedelta

_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?")
_NO_YEAR = re.compile(r"--(?P<month>\d{2})-(?P<day>\d{2})")
_LEAP_YEAR = 2000
_YEARS = range(1800, 2200)


def is_date(text: str) -> bool:
    """Whether the calendar has it."""
    match = _DATE.fullmatch(text) or _NO_YEAR.fullmatch(text)
    if match is None:
        return False
    parts = match.groupdict()
    year = int(parts.get("year") or _LEAP_YEAR)
    day = _day(year, int(parts["month"] or 1), int(parts["day"] or 1))
    return day is not None and year in _YEARS


def in_year(text: str, latest: date) -> str:
    """``--03-05`` as the last such day that is not after ``latest``; "" for any other text."""
    match = _NO_YEAR.fullmatch(text)
    if match is None:
        return ""
    for year in (latest.year, latest.year - 1):
        day = _day(year, int(match["month"]), int(match["day"]))
        if day is not None and day <= latest:
            return day.isoformat()
    return ""


def is_after(text: str, day: date) -> bool:
    """Whether all of a date, as exactly as it is known, is after ``day``; the clocks of two time
    zones may be a day apart."""
    return day < date.max and text > (day + timedelta(days=1)).isoformat()[: len(text)]


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
