"""Dates and times of day as they are written.

2026年3月1日, 2026-03-01, 二〇二四年五月; in 2026年3月1日…，3月3日… the year goes on.
A day that never was (2026年2月30日) is no date.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass, replace

from knowledge.text.folding import fold
from knowledge.text.number import read_number

HAN = "〇零○一二三四五六七八九十"
YEAR_WORDS = rf"[一二][{HAN[:-1]}]{{3}}"
_DATE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d{2})\s*[年\-/.]\s*(?P<m>\d{1,2})"
    r"(?:\s*[月\-/.]\s*(?P<d>\d{1,2})(?!\d)\s*[日号]?|\s*月份?)"
)
_SHORT = re.compile(r"(?<!\d)(?P<y>\d{2})年(?P<m>\d{1,2})月(?P<d>\d{1,2})[日号]")
_DAY = re.compile(r"(?<![\d.])(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]")
_LATER_DAY = re.compile(r"\s?[-~至到、及和]{1,2}\s?(?P<d>\d{1,2})[日号]")
_MONTH = re.compile(r"(?<![\d.年])(?P<m>\d{1,2})月(?=初|底|末|[上中下]旬|份)份?")
_IN_WORDS = re.compile(
    rf"(?:(?P<y>{YEAR_WORDS})年)?(?P<m>[{HAN}]{{1,2}})月份?(?:(?P<d>[{HAN}]{{1,3}})[日号])?"
)
_CLOCK = re.compile(r"(?<![\d.])(?<!\d:)(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?::[0-5]\d)?(?![\d:])")
_OCLOCK = re.compile(
    r"(?<![\d./])(?:[01]?\d|2[0-4])[时点](?:[0-5]?\d分?|半|整|许)"
    r"|(?<=[午晨晚早日天于至])(?:[01]?\d|2[0-4])[时点](?!滴)"
)
# 1:20 is a titre, 01:20 and 8:20 are times of day.
_TITRES = frozenset({"10", "20", "40"})


@dataclass(frozen=True, slots=True)
class WrittenDate:
    """A date at ``[start, end)``; what is not written is None.

    ``carried``: the year is that of the date before it in the text (2026年3月1日…，3月3日…).
    """

    year: int | None
    month: int
    day: int | None
    start: int
    end: int
    carried: bool = False

    def agrees(self, other: WrittenDate) -> bool:
        """True when no part that both write differs."""
        pairs = ((self.year, other.year), (self.month, other.month), (self.day, other.day))
        return all(a == b for a, b in pairs if a is not None and b is not None)

    @property
    def iso(self) -> str:
        """As much of an ISO date as is written; a day of no year is ``--03-05``."""
        if self.year is None:
            return f"--{self.month:02}-{self.day:02}" if self.day else f"--{self.month:02}"
        return f"{self.year}-{self.month:02}" + (f"-{self.day:02}" if self.day else "")

    @property
    def is_possible(self) -> bool:
        """Whether there is such a day: 2026-02-30 never was."""
        if not 1 <= self.month <= 12:
            return False
        days = monthrange(self.year or 2024, self.month)[1]
        return self.day is None or 1 <= self.day <= days


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day at ``[start, end)``."""

    start: int
    end: int


def dates(text: str) -> list[WrittenDate]:
    """The dates of ``text`` with a year and a month at least, or with a month and a day."""
    return [found for found in written_dates(fold(text)) if found.is_possible]


def impossible_dates(text: str) -> list[WrittenDate]:
    """What is written like a date and is none: 2026年2月30日."""
    return [found for found in written_dates(fold(text)) if not found.is_possible]


def written_dates(folded: str) -> list[WrittenDate]:
    """What is written like dates, possible or not, in text order; years carried on."""
    found: list[WrittenDate] = []
    for pattern in (_DATE, _SHORT, _IN_WORDS, _DAY, _MONTH):
        for match in pattern.finditer(folded):
            if pattern is _IN_WORDS and not (match["y"] or match["d"]):
                continue
            if not any(a.start < match.end() and match.start() < a.end for a in found[-200:]):
                found.append(_date_of(match, match.groupdict()))
    found += [day for one in found for day in _days_after(folded, one)]
    return _carried(sorted(found, key=lambda one: one.start))


def _days_after(folded: str, one: WrittenDate) -> Iterator[WrittenDate]:
    """3月1日-5日, 3月1日、3日: the days of the same month."""
    while one.day and (match := _LATER_DAY.match(folded, one.end)):
        one = replace(one, day=int(match["d"]), start=match.start("d"), end=match.end())
        yield one


def _date_of(match: re.Match[str], parts: dict[str, str | None]) -> WrittenDate:
    year, month, day = (figure_of(parts.get(name)) for name in ("y", "m", "d"))
    if year is not None and year < 100:
        year += 2000
    end = match.start() + len(match[0].rstrip())
    return WrittenDate(year, month or 0, day, match.start(), end)


def figure_of(words: str | None) -> int | None:
    if words is None:
        return None
    if words.isdecimal() and words.isascii():
        return int(words)
    number = read_number(words.replace("○", "〇"), 0)
    return int(number.value) if number else None


def _carried(found: list[WrittenDate]) -> list[WrittenDate]:
    """The dates, those without a year in that of the date before."""
    carried: list[WrittenDate] = []
    last: WrittenDate | None = None
    for one in found:
        if one.year is None and last is not None and last.year is not None:
            # 2025年12月…，1月5日 is in the year after.
            later = one.month + 6 <= last.month
            one = replace(one, year=last.year + later, carried=True)
        if one.year is not None and one.is_possible:
            last = one
        carried.append(one)
    return carried


def clocks(text: str) -> list[Clock]:
    """The times of day in ``text``: 08:30, 上午9时; not the titre 1:320."""
    folded = fold(text)
    found = [
        Clock(*match.span())
        for match in _CLOCK.finditer(folded)
        if not (match["h"] == "1" and match["m"] in _TITRES)
    ]
    return found + [Clock(*match.span()) for match in _OCLOCK.finditer(folded)]
