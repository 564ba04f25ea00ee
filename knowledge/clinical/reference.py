"""Reference ranges (``reference.tsv``), grades (``grades.tsv``) and what a vital sign can be
(``plausible.tsv``)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files

from knowledge.text.quantity import Quantity, quantities
from knowledge.text.units import Unit

ADULT_YEARS = 30.0
"""The age of a patient whose age is not known."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row for a group of patients; ``scale``: how much of ``unit`` one of the written unit is."""

    unit: Unit | None
    scale: Fraction
    years: tuple[float, float]

    def fits(self, age_years: float | None, number: Quantity | None) -> bool:
        """Whether the row is for this age, and its unit is the one written (or none is)."""
        age = ADULT_YEARS if age_years is None else age_years
        if not self.years[0] <= age < self.years[1]:
            return False
        unit = number.unit if number is not None else None
        return not unit or (self.unit is not None and unit.converts_to(self.unit))

    def in_unit(self, value: object, number: Quantity | None) -> Fraction:
        """A written value in the unit of the row."""
        exact = Fraction(str(value))
        if number is None or not number.unit or self.unit is None:
            return exact
        return exact * number.unit.factor / self.unit.factor / self.scale


@dataclass(frozen=True, slots=True)
class Range(_Row):
    """What is normal; a value outside is ``below`` or ``above``."""

    sex: str
    low: Fraction | None
    high: Fraction | None
    below: str
    above: str

    def is_of(self, sex: str | None) -> bool:
        """Whether the row is for patients of this sex."""
        return not self.sex or self.sex == sex


@dataclass(frozen=True, slots=True)
class Grade(_Row):
    """A finding of its own that values in ``[low, high)`` show."""

    low: Fraction
    high: Fraction
    finding: str

    def has(self, value: Fraction) -> bool:
        """Whether a value is of this grade."""
        return self.low <= value < self.high


def ranges_of(analyte: str) -> tuple[Range, ...]:
    """The ranges of an analyte, in the order of the table."""
    return _ranges().get(analyte, ())


def grades(analyte: str) -> tuple[Grade, ...]:
    """The grades of an analyte."""
    return _grades().get(analyte, ())


def is_plausible(vital: str, value: Decimal) -> bool:
    """Whether a number without a unit can be this vital sign of a living patient."""
    bounds = _plausible().get(vital)
    return bounds is not None and bounds[0] <= value <= bounds[1]


@cache
def _plausible() -> Mapping[str, tuple[Decimal, Decimal]]:
    return {name: (Decimal(low), Decimal(high)) for name, low, high in _rows("plausible.tsv", 3)}


@cache
def _ranges() -> Mapping[str, tuple[Range, ...]]:
    found: dict[str, list[Range]] = {}
    for cells in _rows("reference.tsv", 9):
        analyte, unit, sex, young, old, low, high, below, above = cells
        found.setdefault(analyte, []).append(
            Range(
                *_unit(unit),
                _years(young, old),
                sex,
                Fraction(low) if low else None,
                Fraction(high) if high else None,
                below or f"{analyte}降低",
                above or f"{analyte}升高",
            )
        )
    return {analyte: tuple(rows) for analyte, rows in found.items()}


@cache
def _grades() -> Mapping[str, tuple[Grade, ...]]:
    found: dict[str, list[Grade]] = {}
    for analyte, unit, low, high, young, old, finding in _rows("grades.tsv", 7):
        row = Grade(*_unit(unit), _years(young, old), Fraction(low), Fraction(high), finding)
        found.setdefault(analyte, []).append(row)
    return {analyte: tuple(rows) for analyte, rows in found.items()}


def _rows(name: str, columns: int) -> Iterator[list[str]]:
    text = (files("knowledge.clinical") / name).read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            cells = [cell.strip() for cell in line.split("\t")]
            yield [*cells, *[""] * columns][:columns]


def _years(young: str, old: str) -> tuple[float, float]:
    return float(young or 0), float(old or 131)


def _unit(written: str) -> tuple[Unit | None, Fraction]:
    """A unit with its scale: the power of ten of ×10⁹/L is read as part of a number."""
    if not written:
        return None, Fraction(1)
    one = quantities(f"1{written}")[0]
    return one.unit, Fraction(Decimal(one.low))
