"""What time a clause speaks of: an earlier one, this stay, or as the clause before it.

Words (既往, 本次), spans of time (2年前) and dates decide; a span or a short date is resolved
against the day of writing and the day of admission.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import Enum

from assistant.grounding.wording import fold


class Time(Enum):
    """The time that a clause names."""

    EARLIER = "earlier"
    NOW = "now"
    STAY = "stay"


@dataclass(frozen=True, slots=True)
class Writing:
    """When a sentence was written, and whether it stands in a note that tells the history."""

    admitted_on: date | None
    written_on: date | None
    opening: bool

    @property
    def day(self) -> date | None:
        """The day from which 2年前 counts."""
        return self.written_on or (self.admitted_on if self.opening else None)


_EARLIER = re.compile(
    r"既往|曾(?:于|行|因|在|经)|上次|前次|首次住院|首次入院|末次化疗|上一周期|外院(?!专家|会诊)|去年|前年|上一?个?月(?!经)"
    r"|上周|(?:入|住)院前|第[一二三四五六七八九十\d]+(?:周期|次)化疗后"
)
_EARLIER_OPENING = re.compile(r"当地|门诊|诊所|卫生院|社区医院|自服|自行(?:口服|服用)|院外")
_STAY = re.compile(r"本次住院|此次住院|入院后")
_NOW = re.compile(
    r"[本此]次(?!发病前|入院前)|目前|今[日晨]|今(?:为|因|来)|(?:^|患者)\s*现(?!病史|象|场)"
)
_NOW_LATER = re.compile(r"继续|昨日|昨夜|明日")
_AGO = re.compile(
    r"(?P<n>\d+(?:\.\d+)?|[一二两三四五六七八九十数半]+)\s*[余多]?\s*(?P<u>年|个?月|周|天|日)\s*[余多]?\s*前(?!期)"
)
_DAYS = {"年": 365, "月": 30, "周": 7, "天": 1, "日": 1}
_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九十")} | {"两": 2, "数": 3, "半": 0.5}
_DATE = re.compile(
    r"(?<![\d.])(?P<y>(?:19|20)\d{2})\s*(?:年(?!版|指南)|[-/.](?=\d))\s*"
    r"(?:(?P<m>\d{1,2})(?!\d)(?:\s*[月\-/.]\s*(?:(?P<d>\d{1,2})(?!\d))?)?)?"
    r"|(?<![\d.])(?P<y2>\d{2})年(?P<m2>\d{1,2})月(?:(?P<d2>\d{1,2})日?)?"
    r"|(?<!\d)(?P<m3>\d{1,2})月(?P<d3>\d{1,2})日"
)
_COMPARED = re.compile(r"(?:较|比|与|同)[^，,。；;]{0,6}$")
_CLAUSE = re.compile(r"(?:（[^（）]*）|\([^()]*\)|[^，,])+")


def _earlier_day(match: re.Match[str], writing: Writing) -> Time | None:
    """Whether the date lies before the admission; a short one is the nearest such day."""
    admitted = writing.admitted_on
    year, month = match["y"] or match["y2"], match["m"] or match["m2"] or match["m3"]
    day = match["d"] or match["d2"] or match["d3"]
    if admitted is None or (month and not 1 <= int(month) <= 12):
        return None
    if year is None:
        if match.string[: match.start()].endswith(("去年", "前年")):
            return Time.EARLIER
        base = writing.written_on or admitted
        years = [y for y in (base.year - 1, base.year, base.year + 1) if 1 <= y <= 9999]
        days = [_day(y, int(month), int(day)) for y in years]
        return _before(min(days, key=lambda d: abs((d - base).days)), admitted)
    number = int(year) + (2000 if len(year) == 2 else 0)
    if month is None:
        return Time.EARLIER if number < admitted.year else None
    if day is None:
        if (number, int(month)) == (admitted.year, admitted.month):
            return None
        return _before(_day(number, int(month), 28), admitted)
    return _before(_day(number, int(month), int(day)), admitted)


def _day(year: int, month: int, day: int) -> date:
    return date(year, month, max(1, min(day, 28)) if day > 28 or day < 1 else day)


def _before(day: date, admitted: date) -> Time:
    return Time.EARLIER if day < admitted else Time.STAY


def _ago(match: re.Match[str], writing: Writing) -> Time | None:
    """Whether 2年前 lies before the admission; days count only where the history is told."""
    text, unit = match["n"], match["u"][-1]
    if writing.day is None or writing.admitted_on is None:
        return Time.EARLIER if writing.opening or unit not in "天日" else None
    number = float(text) if text[0].isdigit() else float(sum(_DIGITS[c] for c in text))
    then = writing.day.toordinal() - number * _DAYS[unit]
    return Time.EARLIER if then < writing.admitted_on.toordinal() else None


def _named(clause: str, writing: Writing) -> Iterator[tuple[int, Time]]:
    words = [(_EARLIER, Time.EARLIER), (_STAY, Time.STAY), (_NOW, Time.NOW)]
    words.append((_EARLIER_OPENING, Time.EARLIER) if writing.opening else (_NOW_LATER, Time.STAY))
    for pattern, time in words:
        for match in pattern.finditer(clause):
            yield match.start(), time
    for match in _AGO.finditer(clause):
        if found := _ago(match, writing):
            yield match.start(), found
    for match in _DATE.finditer(clause):
        if found := _earlier_day(match, writing):
            yield match.start(), found


def _time(clause: str, writing: Writing) -> Time | None:
    """The time that the clause names last; what it only compares with does not count."""
    named = [
        (at, time)
        for at, time in _named(clause, writing)
        if time is not Time.EARLIER or not _COMPARED.search(clause[:at])
    ]
    return max(named, key=lambda item: item[0])[1] if named else None


def timed_parts(text: str, writing: Writing) -> list[tuple[int, int, Time | None]]:
    """The sentence in ranges of clauses that speak of one time; mostly it is one range.

    A clause without a time of its own goes on with that of the clause before it.
    """
    folded = fold(text)
    parts: list[tuple[int, int, Time | None]] = []
    for match in _CLAUSE.finditer(folded):
        start, end = match.span()
        time = _time(match[0], writing)
        if parts and (time is None or time is parts[-1][2]):
            parts[-1] = (parts[-1][0], end, parts[-1][2])
        elif parts and Time.EARLIER not in (time, parts[-1][2]):
            parts[-1] = (parts[-1][0], end, _later(parts[-1][2], time))
        else:
            parts.append((start, end, time))
    return parts


def _later(one: Time | None, other: Time | None) -> Time | None:
    return Time.STAY if Time.STAY in (one, other) else one or other
