"""Inputs → a result: units are checked, what is missing is named, nothing is assumed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pkgutil import resolve_name

from assistant.calculators.catalogue import Calculator, Input
from assistant.calculators.conversion import UnitMismatch, convert

Value = float | bool | str | date


class InputWrong(ValueError):
    """An input that cannot be taken; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Given:
    """A value as it is given, with the unit that it was written in."""

    value: Value
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One part of a score: its points, None while nobody knows; then from ``least`` to ``most``."""

    key: str
    title: str
    points: float | None
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came out.

    ``value`` is None where an input that it needs is missing.  A score that lacks items has the
    points that are certain as ``value`` and what it may reach as ``most``.  ``used`` are the
    inputs in the units of the formula.
    """

    value: float | None
    text: str = ""
    reading: str = ""
    most: float | None = None
    missing: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()
    used: Mapping[str, Value] = field(default_factory=dict)


def compute(calculator: Calculator, given: Mapping[str, Given]) -> Result:
    """The result of ``calculator`` for the inputs by their keys.

    Raises `InputWrong` for a unit that does not fit, a value out of range, and a kind that is
    another.
    """
    used = {
        one.key: _taken(calculator, one, given[one.key])
        for one in calculator.inputs
        if one.key in given
    }
    if calculator.is_score:
        return _score(calculator, used)
    missing = tuple(
        one.title for one in calculator.inputs if one.key not in used and not one.optional
    )
    if missing:
        return Result(None, missing=missing, used=used)
    formula: Callable[..., float | date] = resolve_name(calculator.formula)
    try:
        made = formula(**used)
    except (ArithmeticError, ValueError) as error:
        raise InputWrong(f"{calculator.title.zh}：这些数值无法计算。(Cannot compute.)") from error
    if isinstance(made, date):
        return Result(float(made.toordinal()), text=made.isoformat(), used=used)
    value = round(made, calculator.digits)
    return Result(value, _written(value, calculator), _reading(calculator, value), used=used)


def _written(value: float, calculator: Calculator) -> str:
    if calculator.form == "weeks":
        weeks, days = divmod(int(value), 7)
        return f"{weeks}周+{days}天"
    number = f"{value:.{calculator.digits}f}"
    return f"{number} {calculator.unit}".strip()


def _reading(calculator: Calculator, value: float) -> str:
    return next((band.text for band in calculator.reading if band.holds(value)), "")


def _taken(calculator: Calculator, wanted: Input, given: Given) -> Value:
    value = given.value
    place = f"{calculator.title.zh}·{wanted.title}"
    if wanted.kind == "criterion" and not wanted.bands:
        if not isinstance(value, bool):
            raise InputWrong(f"{place}：请填 是/否。(Give true or false.)")
        return value
    if wanted.kind == "sex":
        if value not in ("male", "female"):
            raise InputWrong(f"{place}：请填 male 或 female。(Give male or female.)")
        return value
    if wanted.kind == "date":
        if not isinstance(value, date):
            raise InputWrong(f"{place}：请填日期，如 2025-03-01。(Give a date.)")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputWrong(f"{place}：请填数值。(Give a number.)")
    try:
        number = convert(float(value), given.unit or wanted.unit, wanted.unit, wanted.analyte)
    except UnitMismatch as error:
        raise InputWrong(f"{place}：{error}(The unit does not fit.)") from error
    low, high = wanted.low, wanted.high
    if (low is not None and number < low) or (high is not None and number > high):
        raise InputWrong(
            f"{place}：{number:g}{wanted.unit} 超出可计算范围"
            f"（{'' if low is None else f'{low:g}'}–{'' if high is None else f'{high:g}'}），"
            "请核对数值、单位与年龄。(Out of range.)"
        )
    return number


def _score(calculator: Calculator, used: Mapping[str, Value]) -> Result:
    items = [_item(one, used) for one in calculator.inputs]
    groups: dict[str, list[Item]] = {}
    for one, item in zip(calculator.inputs, items, strict=True):
        groups.setdefault(one.of_group or one.key, []).append(item)
    least = sum(max(_least(item) for item in group) for group in groups.values())
    most = sum(max(_most(item) for item in group) for group in groups.values())
    missing = tuple(item.title for item in items if item.points is None)
    if len(missing) == len(items):
        return Result(None, missing=missing, items=tuple(items), used=used)
    value, most = round(least, 1), round(most, 1)
    if value == most:
        # What is missing can change nothing any more.
        missing = ()
    text = f"{value:g} 分" if not missing else f"至少 {value:g} 分（资料齐全时至多 {most:g} 分）"
    reading = "" if missing else _reading(calculator, value)
    return Result(value, text, reading, most, missing, tuple(items), used)


def _least(item: Item) -> float:
    return item.least if item.points is None else item.points


def _most(item: Item) -> float:
    return item.most if item.points is None else item.points


def _item(one: Input, used: Mapping[str, Value]) -> Item:
    possible = [band.points for band in one.bands] or [0.0, one.points]
    least, most = min(possible), max(possible)
    if one.key not in used:
        return Item(one.key, one.title, 0 if one.optional else None, least, most)
    value = used[one.key]
    if isinstance(value, date):
        raise InputWrong(f"{one.title}：请填数值。(Give a number.)")
    if isinstance(value, bool):
        points = one.points if value else 0.0
    elif isinstance(value, str):
        points = one.points if value == "female" else 0.0
    else:
        points = next((band.points for band in one.bands if band.holds(value)), 0.0)
    return Item(one.key, one.title, points, least, most)
