"""Dates in ISO 8601 as exactly as they are known: 2024, 2024-03, 2024-03-05, --03-05."""

from __future__ import annotations

import re
from datetime import date, timedelta

_DATE = re.compile(r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?")
_NO_YEAR = re.compile(r"--(?P<month>\d{2})-(?P<day>\d{2})")
_WRITTEN = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d{2})(?:"
    r"\s*年\s*(?P<month>\d{1,2})\s*月\s*(?P<day>\d{1,2})\s*[日号]?(?!\d)"
    r"|(?P<mark>[-/.])(?P<month2>\d{1,2})(?P=mark)(?P<day2>\d{1,2})(?![\d.]))"
)
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


def impossible_dates(text: str) -> list[tuple[int, int]]:
    """Where ``text`` writes whole dates that no calendar has (2026年13月5日)."""
    return [match.span() for match in _WRITTEN.finditer(text) if not _exists(match)]


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


def _exists(match: re.Match[str]) -> bool:
    month, day = match["month"] or match["month2"], match["day"] or match["day2"]
    return _day(int(match["year"]), int(month), int(day)) is not None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
