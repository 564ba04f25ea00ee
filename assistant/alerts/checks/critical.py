"""Critical values (危急值) that nobody has answered for yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache

from assistant.alerts.chart import Result
from assistant.alerts.facts import Facts
from assistant.alerts.tables import Critical, criticals
from assistant.alerts.way import Way
from assistant.record.measurement import concept_of, in_unit, shown
from knowledge.text.term_table import shipped_terms


def critical_value(facts: Facts) -> Iterator[Way]:
    """A result at or beyond its limit, which no note and no later result answers."""
    for number, result in enumerate(facts.results):
        row = _row_of(result)
        if row is None or _is_told(facts, result, row):
            continue
        later = [r for r in facts.results[number + 1 :] if r.concept == result.concept]
        if any(r.quantity is not None and _row_of(r) is None for r in later):
            continue
        words = {"test": result.row.name, "value": shown(result.row)}
        yield Way(words, (result.evidence,), (f"{result.concept}={result.row.value}",))


@cache
def _rows() -> Mapping[str, list[Critical]]:
    """The critical values by the name of the test."""
    found: dict[str, list[Critical]] = {}
    for row in criticals():
        for name in {concept_of(n) for n in row.names} | set(row.names):
            found.setdefault(name, []).append(row)
    return found


@cache
def _wordings() -> Mapping[str, list[str]]:
    """How the terms of a concept are written."""
    found: dict[str, list[str]] = {}
    for term in shipped_terms():
        found.setdefault(term.concept, []).append(term.wording)
    return found


def _row_of(result: Result) -> Critical | None:
    if result.quantity is None:
        return None
    for row in _rows().get(result.concept, ()):
        value = in_unit(result.quantity, row.unit)
        if value is None:
            continue
        if (row.low is not None and value <= row.low) or (
            row.high is not None and value >= row.high
        ):
            return row
    return None


def _is_told(facts: Facts, result: Result, row: Critical) -> bool:
    """Whether a note of its hour or later speaks of it."""
    names = {result.row.name, result.concept, *row.names}
    names.update(_wordings().get(result.concept, ()))
    for text in facts.texts:
        written = text.note.written_at
        if written is not None and result.at is not None:
            when = written.replace(tzinfo=None)
            if when < result.at - timedelta(hours=1) and when.date() != result.at.date():
                continue
        said = text.note.text
        if "危急值" in said or (row.words is not None and row.words.search(said)):
            return True
        if any(name in said for name in names if len(name) > 1):
            return True
    return False
