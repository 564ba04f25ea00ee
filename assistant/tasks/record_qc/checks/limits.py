"""Values that no living patient has, and units that a test is not told in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.record.evidence import TextSpan
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import in_unit, is_value, results, unit_of
from assistant.tasks.record_qc.rules import Rules, table
from knowledge.text.amount import Quantity

_PRESSURE = "血压"
_TEMPERATURE = re.compile(r"(?<![A-Za-z])T\s*[:：]?\s*\Z")


def check_limits(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``impossible_value`` and ``unit_error``."""
    rows = {name: row for row in table("limits") for name in row[0].split("|")}
    for page in chart.pages:
        for one in page.measured:
            concept = one.concept
            if not concept and _TEMPERATURE.search(page.text[: one.quantity.start][-6:]):
                # The reader of values takes no T for a temperature that nobody has.
                concept = "体温" if one.quantity.unit.shown == "℃" else ""
            if not concept and _PUPIL.search(page.text[: one.quantity.start][-8:]):
                yield from _pupil(page, one.quantity)
                continue
            row = rows.get(concept)
            if row is None or not is_value(page, one):
                continue
            end = one.quantity.end
            start = min(one.name_start, one.quantity.start)
            if end - start > 40:
                start = one.quantity.start
            place = page.span(start, end)
            if any(c in place.quote for c in "，。；\n"):
                place = page.span(one.quantity.start, end)
            yield from _judge(concept, one.quantity, row, place, page.name)
    for result in results(chart):
        row = rows.get(result.concept)
        if row is not None:
            name = f"检验结果“{result.row.name}”"
            for place in result.evidence:
                yield from _judge(result.concept, result.quantity, row, place, name)


_PUPIL = re.compile(r"瞳孔[^，。；]{0,5}\Z")
_WIDEST = 10.0
"""Millimetres of a pupil, at most."""


def _pupil(page: Page, quantity: Quantity) -> Iterator[Found]:
    width = in_unit(quantity, "mm")
    if width is not None and width > _WIDEST:
        yield Found(
            "unit_error",
            f"{page.name}：瞳孔的单位“{quantity.unit.shown}”不对，通常为 mm。",
            [page.span(quantity.start, quantity.end)],
        )


def _judge(
    concept: str, quantity: Quantity, row: tuple[str, ...], place: TextSpan, where: str
) -> Iterator[Found]:
    usual = [unit for unit in row[1].split("|") if unit]
    low, high = float(row[2]), float(row[3])
    unit = next((u for n, u in enumerate(usual) if _fits(quantity, u, n == 0)), None)
    if quantity.shape not in ("one", "range", "pair"):
        return
    if usual and quantity.unit and unit is None:
        if quantity.unit.measures("time", "times") and concept not in ("脉搏", "心率", "呼吸频率"):
            # 血糖监测3天, 血红蛋白复查2次 tell of no value.
            return
        yield Found(
            "unit_error",
            f"{where}：{concept}的单位“{quantity.unit.shown}”不对，通常为 {usual[0]}。",
            [place],
        )
        return
    if concept == _PRESSURE and quantity.shape == "pair" and len(quantity.values) == 2:
        upper, lower = quantity.values
        if upper <= lower or not (30 <= upper <= 310 or usual.index(unit or usual[0])):
            yield Found(
                "impossible_value",
                f"{where}：血压 {place.quote} 不可能（收缩压应高于舒张压）。",
                [place],
            )
        return
    value = in_unit(quantity, usual[0] if usual else "")
    if value is None or quantity.shape == "pair":
        return
    if not low <= value <= high:
        yield Found("impossible_value", f"{where}：{concept}“{place.quote}”超出可能范围。", [place])


def _fits(quantity: Quantity, written: str, is_first: bool) -> bool:
    """Whether a value is in a unit: the first may be told in any that converts to it."""
    unit = unit_of(written)
    if unit is None or not quantity.unit.converts_to(unit):
        return False
    return is_first or quantity.unit.factor == unit.factor
