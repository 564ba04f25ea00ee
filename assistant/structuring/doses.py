"""Dose, route and frequency of a drug."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.chains.quantity import Quantity, frequencies, quantities, routes
from assistant.chains.quantity import Term as QuantityTerm
from assistant.structuring.entity import Measurement, Mention

_DOSES = {"mg", "g", "ug", "mL", "万U", "U", "IU", "mg/kg", "片", "粒", "支", "袋", "L", "mg/d"}
_REACH = 32
_BEFORE = 10
_STOP = re.compile(r"[。；;\n\r]")


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
        self._doses = [q for q in found if q.unit in _DOSES and q.parts]
        self._routes = routes(text)
        self._frequencies = frequencies(text)
        self._stops = [hit.start() for hit in _STOP.finditer(text)]

    def of(self, start: int, end: int, next_drug: int) -> Regimen:
        """The regimen of the drug at ``[start, end)``; ``next_drug`` is where another begins."""
        stop = bisect_left(self._stops, end)
        limit = min(
            next_drug,
            end + _REACH,
            self._stops[stop] if stop < len(self._stops) else len(self._text),
        )
        dose = _first(self._doses, end, limit)
        route = _first(self._routes, end, limit) or _last(self._routes, start - _BEFORE, start)
        frequency = _first(self._frequencies, end, limit)
        return Regimen(
            dose=self._measured(dose) if isinstance(dose, Quantity) else None,
            route=self._named(route),
            frequency=self._named(frequency),
        )

    def _measured(self, dose: Quantity) -> Measurement:
        return Measurement(
            start=dose.start,
            end=dose.end,
            text=self._text[dose.start : dose.end],
            value=dose.value,
            unit=dose.unit,
        )

    def _named(self, term: Quantity | QuantityTerm | None) -> tuple[Mention, str] | None:
        if term is None:
            return None
        words = self._text[term.start : term.end]
        return Mention(start=term.start, end=term.end, text=words), term.value


def _first(
    terms: list[Quantity] | list[QuantityTerm], start: int, end: int
) -> Quantity | QuantityTerm | None:
    index = bisect_left(terms, start, key=lambda term: term.start)
    return terms[index] if index < len(terms) and terms[index].end <= end else None


def _last(terms: list[QuantityTerm], start: int, end: int) -> QuantityTerm | None:
    index = bisect_left(terms, end, key=lambda term: term.start) - 1
    if index < 0 or terms[index].start < start or terms[index].end > end:
        return None
    return terms[index]
