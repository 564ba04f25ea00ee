"""Doses as the notes tell them: against the weight, and against another of the same drug."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules
from knowledge.text.drugs import generic_name
from knowledge.text.quantity import quantities
from knowledge.text.regimen import Regimen
from knowledge.text.regimens import regimens

_PER_WEIGHT = re.compile(r"^m?g/kg$|^ug/kg$|^g/kg$")
_NEAR = 16
_OFF = 0.15
"""Share by which a dose may be off what the weight gives: it is rounded to what a vial holds."""

_TIMES = 3
"""A dose so many times another of the same drug is a change that a note tells, or a slip."""

_CHANGED = re.compile(r"加[量至到大]|增|减|调|改|换|由|冲击|负荷|首剂|顿服|滴定|试验|序贯")


def check_weight_doses(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``dose_conflict``: 10mg/kg（410mg）of a child of 14.5kg."""
    for page in chart.pages:
        for one in regimens(page.text):
            dose = one.dose
            if dose is None or len(dose.values) != 1 or not _PER_WEIGHT.match(dose.unit.code):
                continue
            for total in quantities(page.text[dose.end : dose.end + _NEAR]):
                if total.unit.code != dose.unit.code.removesuffix("/kg") or not total.values:
                    continue
                weight = _weight(chart, page)
                expected = float(dose.values[0]) * weight[0] if weight else 0.0
                written = float(total.values[0])
                if not weight or abs(written - expected) <= _OFF * expected:
                    continue
                start, end = one.drug.start, dose.end + total.end
                yield Found(
                    "dose_conflict",
                    f"{page.name}写“{page.text[start:end]}”，按体重 {weight[0]:g}kg 计算约为"
                    f" {expected:g}{total.unit.shown}。",
                    [page.span(start, end), weight[1].span(*weight[2])],
                )


def _weight(chart: Chart, page: Page) -> tuple[float, Page, tuple[int, int]] | None:
    """The weight that is told last up to a note, in kg."""
    found = None
    for other in chart.pages:
        for one in other.measured:
            quantity = one.quantity
            if one.concept == "体重" and quantity.unit.code == "kg" and quantity.shape == "one":
                found = float(quantity.values[0]), other, (one.name_start, quantity.end)
        if other is page:
            break
    return found


def check_dose_jumps(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``dose_conflict`` in a stay without rows: a dose several times another, and no word of a
    change."""
    if chart.encounter.medications:
        return
    last: dict[str, tuple[Page, Regimen]] = {}
    for page in chart.pages:
        for one in regimens(page.text):
            if one.dose is None or len(one.dose.values) != 1 or one.planned or one.is_once:
                continue
            clause = page.clause_at(one.drug.start)
            if clause is None or _CHANGED.search(clause.text) or one.order:
                continue
            name = generic_name(one.drug.name)
            before = last.get(name)
            last[name] = page, one
            if before is None or not _jumps(before[1], one):
                continue
            other_page, other = before
            yield Found(
                "dose_conflict",
                f"{page.name}写“{_written(page, one)}”，{other_page.name}为"
                f"“{_written(other_page, other)}”，相差数倍而未写调整。",
                [
                    page.span(one.drug.start, one.dose.end),
                    other_page.span(other.drug.start, other.dose.end if other.dose else other.end),
                ],
            )


def _written(page: Page, one: Regimen) -> str:
    return page.text[one.drug.start : one.dose.end if one.dose else one.end]


def _jumps(one: Regimen, other: Regimen) -> bool:
    """Whether two doses of one way of giving are several times one another."""
    if one.dose is None or other.dose is None or not one.dose.unit.converts_to(other.dose.unit):
        return False
    if one.route and other.route and one.route.value != other.route.value:
        return False
    if one.frequency is None or other.frequency is None:
        return False
    if one.frequency.period != other.frequency.period:
        return False
    a = one.dose.base[0] * max(1, one.frequency.high)
    b = other.dose.base[0] * max(1, other.frequency.high)
    return bool(a and b) and max(a / b, b / a) >= _TIMES
