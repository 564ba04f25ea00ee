"""The value of a row as a quantity, and the name that the list of tests has for its test."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache

from assistant.record.observation import Observation
from knowledge.text.amount import Quantity
from knowledge.text.quantity import quantities
from knowledge.text.term_table import shipped_test
from knowledge.text.units import Unit


@lru_cache(maxsize=4096)
def concept_of(name: str) -> str:
    """The name that the list of tests has for a test, else the name itself."""
    bare = re.sub(r"[（(].*?[)）]|\s", "", name)
    return shipped_test(bare) or shipped_test(bare.removeprefix("动脉血")) or bare


def shown(row: Observation) -> str:
    """Value and unit as people read them: 7.6 and 10^9/L are 7.6×10^9/L, not 7.610^9/L."""
    joint = "×" if row.value[-1:].isdigit() and row.unit[:1].isdigit() else ""
    return f"{row.value}{joint}{row.unit}"


def quantity_of(row: Observation) -> Quantity | None:
    """The one number of a row; None where it has none or several."""
    if row.status == "pending" or not row.value.strip():
        return None
    return one_quantity(f"{row.value}{_written(row.unit)}")


def _written(unit: str) -> str:
    return f"×{unit}" if unit.startswith("10") else unit


@lru_cache(maxsize=4096)
def one_quantity(text: str) -> Quantity | None:
    """The one quantity that a text is; None where it is none or several."""
    found = quantities(text)
    return found[0] if len(found) == 1 and len(found[0].values) == 1 else None


@lru_cache(maxsize=256)
def unit_of(written: str) -> Unit | None:
    """A unit as a table writes it; None for an empty cell."""
    if not written:
        return None
    found = quantities(f"1{_written(written)}")
    return found[0].unit if found else None


@lru_cache(maxsize=256)
def scale_of(written: str) -> Fraction:
    """How much a table's unit is of its kind's base unit, the power of ten of 10^9/L included."""
    found = quantities(f"1{_written(written)}")
    return found[0].base[0] if found else Fraction(1)


def in_unit(quantity: Quantity, written: str) -> float | None:
    """The smallest value in a table's unit; None where it cannot be told in it.

    A bare number is taken to be in the table's unit.
    """
    if not quantity.unit or not written:
        return float(quantity.low) if not quantity.unit or not written else None
    unit = unit_of(written)
    if unit is None or not quantity.unit.converts_to(unit):
        return None
    return float(min(quantity.base) / scale_of(written))
