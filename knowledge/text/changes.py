"""How a quantity changes: 由95降至68，后升至82 is a series, whose last value is the present one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from knowledge.text.amount import Quantity, Series
from knowledge.text.folding import fold
from knowledge.text.units import NONE

_AGAIN = r",?(?:今日?|昨日?)?(?:复查|再查|复测)(?:为|示|:)?"
_TO = re.compile(
    rf"(?:→|->|{_AGAIN}|-->|[^。;\n\d→]{{0,14}}?(?:升|降|增|减|加|涨|恢复|下滑|回落|变|改善|改|缩小|扩大|缩短|延长|好转)"
    r"[高低升降加大多少量]?(?:了)?(?:至|到|为|成))[ \t:约]{0,3}"
)

_FROM = re.compile(r"[由从自][^,。;\n\d]{0,4}\Z")


def changes(text: str, found: Sequence[Quantity]) -> list[Series]:
    """The series among quantities of ``text``: 88→356, 由A降至B，后升至C.

    A number before that has no unit has that of the one after it.
    """
    folded = fold(text)
    series: list[list[Quantity]] = []
    for quantity in found:
        last = series[-1][-1] if series else None
        if last is not None and _follows(folded, last, quantity):
            series[-1].append(quantity)
        else:
            series.append([quantity])
    return [Series(_unified(group)) for group in series if len(group) > 1]


def _follows(folded: str, last: Quantity, quantity: Quantity) -> bool:
    if quantity.start - last.end > 20 or last.shape not in ("one", "pair", "range"):
        return False
    alike = not last.unit or not quantity.unit or last.unit.converts_to(quantity.unit)
    # INR 3.8，减量至2.25mg: behind a comma a dose is no later value of what has no unit.
    if quantity.unit and not last.unit and "减量" in folded[last.end : quantity.start]:
        return False
    if last.unit.measures("time") and not quantity.unit and not _FROM.search(folded, 0, last.start):
        # 3日后降至96: when it fell, and no value of what fell.
        return False
    return alike and _TO.fullmatch(folded, last.end, quantity.start) is not None


def _unified(group: Sequence[Quantity]) -> tuple[Quantity, ...]:
    unit = next((quantity.unit for quantity in group if quantity.unit), NONE)
    scale = next((q.numbers[-1] for q in group if q.numbers[-1].scale), None)
    unified = []
    for quantity in group:
        numbers = quantity.numbers
        if scale and scale.scale.startswith("10^") and not numbers[-1].scale and not quantity.unit:
            numbers = tuple(replace(n, power=scale.power, scale=scale.scale) for n in numbers)
        unified.append(replace(quantity, numbers=numbers, unit=quantity.unit or unit))
    return tuple(unified)
