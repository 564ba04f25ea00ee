"""Results of the structured rows as quantities, with the name that the list of tests has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from assistant.grounding.measured import Measured
from assistant.record.evidence import TextSpan
from assistant.record.measurement import (
    concept_of,
    in_unit,
    one_quantity,
    quantity_of,
    shown,
    unit_of,
)
from assistant.record.observation import Observation
from assistant.tasks.record_qc.chart import Chart, Page
from knowledge.text.amount import Quantity

__all__ = [
    "Result",
    "concept_of",
    "in_unit",
    "is_value",
    "one_quantity",
    "results",
    "shown",
    "unit_of",
    "values_of",
]


@dataclass(frozen=True, slots=True)
class Result:
    """A row that has a number."""

    row: Observation
    concept: str
    quantity: Quantity
    at: datetime | None
    evidence: tuple[TextSpan, ...]


def results(chart: Chart) -> Iterator[Result]:
    """The rows that have one number."""
    for number, row in enumerate(chart.encounter.observations):
        if row.status == "pending" or not row.value.strip():
            continue
        read = quantity_of(row)
        if read is None:
            continue
        at = row.at.replace(tzinfo=None) if row.at else None
        yield Result(row, concept_of(row.name), read, at, tuple(chart.row("observations", number)))


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


def values_of(page: Page, names: Iterable[str]) -> Iterator[Measured]:
    """The values that a note tells of these tests."""
    wanted = {concept_of(name) for name in names} | set(names)
    for one in page.measured:
        if one.concept in wanted and not one.reference:
            yield one
