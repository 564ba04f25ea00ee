"""Dose, route and frequency of a drug."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.grounding.quantity import Quantity, frequencies, quantities, routes
from assistant.grounding.quantity import Term as QuantityTerm
from assistant.tasks.structuring.entity import Measurement, Mention

_DOSES = re.compile(r"(?:mg|g|ug|mL|U|IU|万U)(?:/kg)?(?:/(?:min|h|d))?|片|粒|支|袋|L")
_REACH = 32
_BEFORE = 10
_STOP = re.compile(r"[。；;\n\r]")
# 2.5mg加量至3.75mg, 2.5mg→3.75mg: the later dose is the one that is taken, unless it is planned.
_CHANGED = re.compile(
    r"(?!.*(?:拟|建议|必要|可|若|如|需|未|拒|应))(?:[^，,。；;\n\d]|q\d{1,2}h|\d次){0,12}"
    r"(?:[加增减调改升降][^，,。；;\n\d]{0,4}[至到为成]|→|->)\s?"
)
_DIRECTED = re.compile(r"(?:sig|用法用量|用法)[ \t]*[.:：]?", re.IGNORECASE)
_FAR = 60
_APART = re.compile(r"[,，、；;。\n]|\d")
_COMMA = re.compile(r"[,，]")
_MASSES = frozenset({"ug", "mg", "g"})
# 早8U 中6U 晚10U: a day's doses, each behind its time.
_AT = r"(?<![术每])(?:早|中午|中|午|晚|晨|睡前)(?:[餐饭][前后]?|上)?"
_AT_ONE = re.compile(rf"{_AT}\s?\Z")
_THEN = re.compile(rf"[\s，,、/]{{0,2}}{_AT}\s?")


@dataclass(frozen=True)
class Regimen:
    """How a drug is given, as far as the note says; times a day are written ``日2``."""

    dose: Measurement | None = None
    route: tuple[Mention, str] | None = None
    frequency: tuple[Mention, str] | None = None


class Regimens:
    """The doses, routes and frequencies of one text."""

    def __init__(self, text: str, found: Sequence[Quantity] | None = None) -> None:
        """``found`` are the quantities of ``text``, where they are known already."""
        self._text = text
        found = quantities(text) if found is None else found
        self._doses = [q for q in found if _DOSES.fullmatch(q.unit) and q.parts]
        self._routes = routes(text)
        self._frequencies = frequencies(text)
        self._stops = [hit.start() for hit in _STOP.finditer(text)]

    def of(self, start: int, end: int, next_drug: int) -> Regimen:
        """The regimen of the drug at ``[start, end)``; ``next_drug`` is where another begins."""
        number = bisect_left(self._stops, end)
        stop = self._stops[number] if number < len(self._stops) else len(self._text)
        # What stands before the directions is the package.
        if directed := _DIRECTED.search(self._text, end, min(next_drug, end + _FAR, stop)):
            end = directed.end()
        limit = min(next_drug, end + _REACH, stop)
        dose = self._dose(end, limit)
        # How a dose is taken stands behind it, or else before it.
        given = dose.end if dose else end
        comma = _COMMA.search(self._text, given, limit)
        near = comma.start() if comma else limit
        route = (
            _first(self._routes, given, near)
            or _first(self._routes, end, limit)
            or _last(self._routes, self._clause_of(start), start)
        )
        frequency = _first(self._frequencies, given, near) or _first(self._frequencies, end, limit)
        return Regimen(
            dose=dose,
            route=self._named(route),
            frequency=self._named(frequency),
        )

    def _clause_of(self, start: int) -> int:
        """Where what is said right before a drug begins."""
        begin = max(0, start - _BEFORE)
        return max((hit.end() for hit in _APART.finditer(self._text, begin, start)), default=begin)

    def _dose(self, start: int, limit: int) -> Measurement | None:
        """The dose that is taken now; none where only a part of a day's doses is understood."""
        index = bisect_left(self._doses, start, key=lambda dose: dose.start)
        inside = [dose for dose in self._doses[index:] if dose.end <= limit]
        if not inside:
            return None
        if _AT_ONE.search(self._text, max(start, inside[0].start - 5), inside[0].start):
            return self._day(inside)
        at = 0
        while at + 1 < len(inside) and self._is_changed(inside[at], inside[at + 1]):
            at += 1
        last, value = inside[at], inside[at].value
        for other in inside[at + 1 :]:
            if self._text[last.end : other.start] != "/" or other.unit != last.unit:
                break
            last, value = other, f"{value}/{other.value}"
        return self._measured(value, last.unit, inside[at].start, last.end)

    def _is_changed(self, before: Quantity, after: Quantity) -> bool:
        alike = before.unit == after.unit or {before.unit, after.unit} <= _MASSES
        return alike and _CHANGED.fullmatch(self._text, before.end, after.start) is not None

    def _day(self, doses: Sequence[Quantity]) -> Measurement | None:
        """The doses of a day, each behind its time; None where one of them is not."""
        first = doses[0]
        begin = _AT_ONE.search(self._text, max(0, first.start - 5), first.start)
        if begin is None:
            return None
        value, end = f"{begin[0].strip()}{first.value}", first.end
        for dose in doses[1:]:
            if dose.unit != first.unit:
                break
            then = _THEN.fullmatch(self._text, end, dose.start)
            if then is None:
                return None
            value, end = f"{value} {then[0].strip(' ，,、/')}{dose.value}", dose.end
        if end == first.end:
            return self._measured(first.value, first.unit, first.start, first.end)
        return self._measured(value, first.unit, begin.start(), end)

    def _measured(self, value: str, unit: str, start: int, end: int) -> Measurement:
        return Measurement(start=start, end=end, text=self._text[start:end], value=value, unit=unit)

    def _named(self, term: QuantityTerm | None) -> tuple[Mention, str] | None:
        if term is None:
            return None
        words = self._text[term.start : term.end]
        return Mention(start=term.start, end=term.end, text=words), term.value


def _first(terms: list[QuantityTerm], start: int, end: int) -> QuantityTerm | None:
    index = bisect_left(terms, start, key=lambda term: term.start)
    return terms[index] if index < len(terms) and terms[index].end <= end else None


def _last(terms: list[QuantityTerm], start: int, end: int) -> QuantityTerm | None:
    index = bisect_left(terms, end, key=lambda term: term.start) - 1
    if index < 0 or terms[index].start < start or terms[index].end > end:
        return None
    return terms[index]
