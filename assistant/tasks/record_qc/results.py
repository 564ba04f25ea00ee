"""Results of the structured rows as quantities, with the name that the list of tests has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache

from assistant.grounding.measured import Measured
from assistant.record.evidence import TextSpan
from assistant.record.observation import Observation
from assistant.tasks.record_qc.chart import Chart, Page
from knowledge.text.amount import Quantity
from knowledge.text.quantity import quantities
from knowledge.text.term_table import shipped_test
from knowledge.text.units import Unit


@dataclass(frozen=True, slots=True)
class Result:
    """A row that has a number."""

    row: Observation
    concept: str
    quantity: Quantity
    at: datetime | None
    evidence: tuple[TextSpan, ...]


def concept_of(name: str) -> str:
    """The name that the list of tests has for a test, else the name itself."""
    bare = re.sub(r"[（(].*?[)）]|\s", "", name)
    return shipped_test(bare) or shipped_test(bare.removeprefix("动脉血")) or bare


def shown(row: Observation) -> str:
    """Value and unit as people read them: 7.6 and 10^9/L are 7.6×10^9/L, not 7.610^9/L."""
    joint = "×" if row.value[-1:].isdigit() and row.unit[:1].isdigit() else ""
    return f"{row.value}{joint}{row.unit}"


def results(chart: Chart) -> Iterator[Result]:
    """The rows that have one number."""
    for number, row in enumerate(chart.encounter.observations):
        if row.status == "pending" or not row.value.strip():
            continue
        read = one_quantity(f"{row.value}{_written(row.unit)}")
        if read is None:
            continue
        at = row.at.replace(tzinfo=None) if row.at else None
        yield Result(row, concept_of(row.name), read, at, tuple(chart.row("observations", number)))


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


_GAP = re.compile(
    r"(?:[\s:：=＝(（]|为|是|约|在|于|至|到|达|升|降|高|低|最|波动|复查|示|提示|测得?|结果|计数|值|水平|恢复|今|晨|昨|日|持续|维持|仅|已)*"
)
_PART_OF = re.compile(r"[/／尿]\Z")


def is_value(page: Page, one: Measured) -> bool:
    """Whether a quantity stands right behind the test that it is read for, as its value."""
    quantity = one.quantity
    if one.reference or not quantity.values or quantity.start < one.name_end:
        return False
    name = page.text[one.name_start : one.name_end].strip()
    if len(name) == 1 and (not quantity.unit or quantity.unit.measures("time")):
        # R0 and P0H0 tell of a resection, not of breath and pulse.
        return False
    if re.match(r"(?i)CA\d", page.text[one.name_start :]):
        # CA125 is no calcium.
        return False
    between = page.text[one.name_end : quantity.start]
    before = page.text[max(0, one.name_start - 1) : one.name_start]
    return _GAP.fullmatch(between) is not None and not _PART_OF.search(before)


def told(page: Page, names: Iterable[str]) -> Iterator[Measured]:
    """The values that a note tells of these tests."""
    wanted = {concept_of(name) for name in names} | set(names)
    for one in page.measured:
        if one.concept in wanted and not one.reference:
            yield one
