"""What a bill must agree with itself in: sums, products, words, dates, code, ranges.

The checks are rows of ``data/checks.yaml``; each kind of reckoning is a function here.  A check
whose parts are not all there is left out: it neither passes nor fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from assistant.tasks.bill_ocr.document import BillDocument, Cell, Check
from assistant.tasks.bill_ocr.laboratory import flag_of, printed_flag, said_of
from assistant.tasks.bill_ocr.values import decimal_of, money

CENT = Decimal("0.01")
Rule = Mapping[str, Any]


@dataclass(slots=True)
class Second:
    """What a check may need beside the document: subtotals as (items before, cell), the code,
    amounts without a label."""

    subtotals: list[tuple[int, Cell]] = field(default_factory=list)
    code: dict[str, str] = field(default_factory=dict)
    loose: list[Cell] = field(default_factory=list)


@cache
def _table(name: str) -> Any:
    path = files("assistant.tasks.bill_ocr") / "data" / name
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check_rules() -> list[Rule]:
    """The rows of ``data/checks.yaml``."""
    return list(_table("checks.yaml"))


def run_checks(document: BillDocument, second: Second) -> list[Check]:
    """Every check that this document has the parts of."""
    found: list[Check] = []
    for rule in _table("checks.yaml"):
        found += _KINDS[rule["how"]](rule, document, second)
    return [*found, *_required(document)]


def number_at(document: BillDocument, name: str) -> Decimal | None:
    """The amount of a field; None where it is missing or no number."""
    cell = document.fields.get(name)
    return None if cell is None else decimal_of(cell.value)


def of_item(document: BillDocument, row: int, column: str) -> Decimal | None:
    """The number of a cell; None where it is missing or no number."""
    cell = document.items[row].get(column)
    return None if cell is None else decimal_of(cell.value)


def _product(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    columns = rule["columns"]
    for row in range(len(document.items)):
        quantity, price, amount = (of_item(document, row, name) for name in columns)
        if quantity is None or price is None or amount is None:
            continue
        right = quantity * price
        # Prices are rounded: a thousandth on each piece is none.
        slack = (
            max(CENT, abs(quantity) * Decimal("0.005")) if price.as_tuple().exponent == -2 else CENT
        )
        exact = abs(right - amount) <= (CENT if abs(quantity) <= 1 else slack)
        if right.quantize(CENT) != amount and quantity == quantity.to_integral_value():
            exact = exact and abs(right - amount) <= CENT
        concerns = [f"items.{row}.{name}" for name in columns]
        hint = "" if exact else _one_of(quantity, price, amount, row)
        yield _check(rule, exact, concerns, f"第{row + 1}项", hint)


def _one_of(quantity: Decimal, price: Decimal, amount: Decimal, row: int) -> str:
    hints = [f"金额应为 {money((quantity * price).quantize(CENT))}"]
    if quantity and (amount / quantity) == (amount / quantity).quantize(Decimal("0.0001")):
        hints.append(f"单价应为 {money((amount / quantity).normalize())}")
    if price and amount % price == 0:
        hints.append(f"数量应为 {(amount / price).to_integral_value()}")
    return f"第{row + 1}项：" + "，或".join(hints)


def _subtotals(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    begin = 0
    for end, cell in second.subtotals:
        rows = range(begin, end)
        begin = end
        printed = decimal_of(cell.value)
        amounts = [of_item(document, row, rule["column"]) for row in rows]
        if printed is None or not amounts:
            continue
        total = sum((amount or Decimal(0) for amount in amounts), Decimal(0))
        concerns = [f"items.{row}.{rule['column']}" for row in rows]
        passed = total == printed and None not in amounts
        hint = "" if passed else f"明细之和 {money(total)}，小计 {money(printed)}"
        yield _check(rule, passed, concerns, "", hint)


def _column_sum(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    column, total = rule["column"], number_at(document, rule["field"])
    amounts = [of_item(document, row, column) for row in range(len(document.items))]
    known = [amount for amount in amounts if amount is not None]
    if total is None or not known:
        return
    added = sum(known, Decimal(0))
    passed = added == total and len(known) == len(amounts)
    concerns = [f"fields.{rule['field']}"]
    concerns += [f"items.{row}.{column}" for row in range(len(amounts))]
    hint = (
        ""
        if passed
        else f"明细之和 {money(added)}，合计 {money(total)}，相差 {money(total - added)}"
    )
    yield _check(rule, passed, concerns, "", hint)


def _equal(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    first, other = rule["fields"]
    if first not in document.fields or other not in document.fields:
        return
    values = number_at(document, first), number_at(document, other)
    passed = values[0] is not None and values[0] == values[1]
    hint = (
        ""
        if passed
        else f"小写 {document.fields[first].value}，大写 {document.fields[other].value}"
    )
    yield _check(rule, passed, [f"fields.{first}", f"fields.{other}"], "", hint)


def _sum(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    names = [*rule["parts"], *(n for n in rule.get("may", ()) if n in document.fields)]
    parts = {name: number_at(document, name) for name in names}
    whole = {name: number_at(document, name) for name in rule["whole"]}
    every = {**parts, **whole}
    absent = [name for name in every if name not in document.fields]
    if absent:
        yield from _absent(absent, parts, whole)
        return
    known = all(value is not None for value in every.values())
    left = sum((value or Decimal(0) for value in parts.values()), Decimal(0))
    right = sum((value or Decimal(0) for value in whole.values()), Decimal(0))
    passed = known and left == right
    hint = "" if passed else f"{money(left)} 与 {money(right)} 相差 {money(right - left)}"
    yield _check(rule, passed, [f"fields.{name}" for name in every], "", hint)


def _absent(
    names: Sequence[str], parts: Mapping[str, Decimal | None], whole: Mapping[str, Decimal | None]
) -> Iterator[Check]:
    """Where a sum lacks a single amount that is not nought, this one was overlooked."""
    known = [value for name, value in {**parts, **whole}.items() if name not in names]
    if len(names) > 1 or None in known:
        return
    left = sum((value or Decimal(0) for value in parts.values()), Decimal(0))
    right = sum((value or Decimal(0) for value in whole.values()), Decimal(0))
    lacking = right - left if names[0] in parts else left - right
    if lacking > 0:
        yield Check(
            name="unread",
            passed=False,
            concerns=[f"fields.{names[0]}"],
            message="可能有金额未读出",
            suggestion=f"按合计推算为 {money(lacking)}",
        )


def _order(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    there = [name for name in rule["fields"] if name in document.fields]
    days = [document.fields[name].value for name in there]
    if len(days) < 2:
        return
    passed = days == sorted(days)
    hint = "" if passed else " → ".join(days)
    yield _check(rule, passed, [f"fields.{name}" for name in there], "", hint)


def _flags(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    for row, item in enumerate(document.items):
        value, limits = item.get("value"), item.get("range")
        if value is None or limits is None:
            continue
        expected = flag_of(value.value, limits.value)
        if expected is None:
            continue
        printed = printed_flag(item)
        if not printed and not any("flag" in one for one in document.items):
            continue
        # An arrow that only the range tells says nothing of the value.
        names = ("value", "range", "flag") if printed else ("value", "range")
        concerns = [f"items.{row}.{name}" for name in names if name in item]
        same = said_of(printed) == expected
        hint = (
            f"结果 {value.value}，范围 {limits.value}，提示 {printed or '无'}" if not same else ""
        )
        yield _check(rule, same, concerns, f"第{row + 1}项", hint)


def _code(rule: Rule, document: BillDocument, second: Second) -> Iterator[Check]:
    name = rule["field"]
    if name not in second.code or name not in document.fields:
        return
    cell, said = document.fields[name], second.code[name]
    passed = cell.value.casefold() == said.casefold()
    yield _check(rule, passed, [f"fields.{name}"], "", "" if passed else f"二维码为 {said}")


def _required(document: BillDocument) -> Iterator[Check]:
    needed = _table("required.yaml").get(document.kind.value)
    if needed is None:
        return
    missing = [f"fields.{name}" for name in needed["fields"] if name not in document.fields]
    for row, item in enumerate(document.items):
        columns = {name for one in document.items for name in one}
        figures = columns & {"amount", "unit_price", "quantity"}
        missing += [
            f"items.{row}.{name}"
            for name in sorted({*needed["columns"], *figures})
            if name not in item
        ]
    if needed["columns"] and not document.items:
        missing.append("items")
    message = f"缺少：{'、'.join(missing)}" if missing else ""
    yield Check(name="complete", passed=not missing, concerns=missing, message=message)


def _check(rule: Rule, passed: bool, concerns: Sequence[str], where: str, hint: str) -> Check:
    message = "" if passed else "：".join(filter(None, (where, rule["message"])))
    return Check(
        name=rule["name"], passed=passed, concerns=list(concerns), message=message, suggestion=hint
    )


_KINDS: dict[str, Callable[[Rule, BillDocument, Second], Iterator[Check]]] = {
    "product": _product,
    "subtotals": _subtotals,
    "column_sum": _column_sum,
    "equal": _equal,
    "sum": _sum,
    "order": _order,
    "flags": _flags,
    "code": _code,
}
