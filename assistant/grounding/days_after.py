"""The day that a record counts from its operation: 6月2日行…术，术后第3天拔管 is 6月5日."""

from __future__ import annotations

import re
from datetime import date, timedelta

from assistant.grounding.check import Check
from assistant.grounding.source import Source
from assistant.grounding.wording import bigrams
from knowledge.text.dates import WrittenDate, dates

_OPERATED = re.compile(r"行[^，,。；;\n]{1,24}术|手术")
_AFTER_OPERATION = re.compile(r"术后第?[ ]?(\d{1,2})[ ]?[天日](?!内|以来)")
_DAY = re.compile(r"第[ ]?(\d{1,2})[ ]?[天日]")
_LEAP = 2024
"""The year in which days are counted where none is written: it has all of them."""


def told_by_day(check: Check, day: WrittenDate) -> Source | None:
    """The sentence that tells the statement's clause of the day after the operation which ``day``
    is, where the record has the date of one operation alone."""
    start = _operation(check)
    clause = check.said.clause_of(day.start)
    if start is None or clause is None or day.day is None:
        return None
    words = bigrams(check.text[day.end : clause.start + len(clause.text)])
    told = [(len(words & c.bigrams), c) for c in check.clauses]
    best = max((score for score, _ in told), default=0)
    if not best:
        return None
    nearest = [c for score, c in told if score == best]
    found = [(c.source, _counted(c.source.text, c.start, c.text)) for c in nearest]
    if not all(number is not None and _agrees(day, start, number) for _, number in found):
        return None
    source = found[0][0]
    return source if isinstance(source, Source) else None


def _operation(check: Check) -> WrittenDate | None:
    """The one date on which the record says that an operation was done."""
    found: dict[str, WrittenDate] = {}
    for clause in check.clauses:
        if _OPERATED.search(clause.text) and not clause.stances:
            for one in dates(clause.text):
                found[one.iso] = one
    return next(iter(found.values())) if len(found) == 1 else None


def _counted(text: str, start: int, clause: str) -> int | None:
    """Which day after the operation the clause at ``start`` is of; 第3天 goes on from 术后第2天."""
    if own := _AFTER_OPERATION.search(clause):
        return int(own[1])
    day = _DAY.search(clause)
    if day and _AFTER_OPERATION.search(text, 0, start):
        return int(day[1])
    return None


def _agrees(day: WrittenDate, start: WrittenDate, number: int) -> bool:
    """Whether ``day`` is ``number`` days after ``start``."""
    if start.day is None or (day.year is not None and day.year != start.year):
        return False
    then = date(start.year or _LEAP, start.month, start.day) + timedelta(days=number)
    # Without a year the last days of February are not certain.
    if start.year is None and start.month <= 2 < then.month:
        return False
    return (then.month, then.day) == (day.month, day.day)


def told_by_date(check: Check, at: int, number: int) -> Source | None:
    """The sentence that dates what the statement's clause tells of the ``number``-th day after the
    operation, where the record has the date of one operation alone: 3月2日行…术，3月5日拔管."""
    start = _operation(check)
    clause = check.said.clause_of(at)
    if start is None or clause is None or not _AFTER_OPERATION.search(clause.text):
        return None
    words = clause.telling
    told = [(len(words & c.telling), c) for c in check.clauses]
    best = max((score for score, _ in told), default=0)
    nearest = [c for score, c in told if score == best] if best else []
    days = [[d for d in dates(c.text) if _agrees(d, start, number)] for c in nearest]
    source = nearest[0].source if nearest and all(days) else None
    return source if isinstance(source, Source) else None
