"""Which of the figures that were read in a table are meant: those with which its sums come out.

A row has as many meanings as the readings of its cells have combinations with quantity × price =
amount.  Of all ways to choose one for each row, the one that makes the sum of the amounts agree
with what is printed below them, by the fewest changes, is meant, if it is the only one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product

from assistant.tasks.bill_ocr.document import Cell, Item
from assistant.tasks.bill_ocr.values import decimal_of

_CENT = Decimal("0.01")
_MOST_READINGS = 24
_MOST_CHANGES = 2
"""Beyond what rows that contradict themselves need: with more, a sum may come out by chance."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a row may say: its amount, the cells that change for it, and how many those are."""

    amount: Decimal
    changes: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def cost(self) -> int:
        """How many cells are not as they were read first."""
        return len(self.changes)


def readings(cell: Cell | None) -> list[Decimal]:
    """The numbers that were read in a cell, the first one first."""
    if cell is None:
        return []
    found = (decimal_of(text) for text in (cell.value, *cell.readings[:_MOST_READINGS]))
    return list(dict.fromkeys(number for number in found if number is not None))


def meanings_of(item: Item, *, counted: bool) -> list[Meaning]:
    """What a row may say, one meaning an amount, the fewest changes first; none where no amount
    was read.

    ``counted``: whether the table has counts; where that of a row was overlooked, its price must
    go into its amount.
    """
    amounts = readings(item.get("amount"))
    found: dict[Decimal, Meaning] = {}
    doubled: set[Decimal] = set()
    for meaning in sorted(_products(item, amounts, counted), key=lambda one: one.cost):
        before = found.setdefault(meaning.amount, meaning)
        if before is not meaning and before.cost == meaning.cost:
            doubled.add(meaning.amount)
    if not found:
        return [_meaning(item, {"amount": amount}) for amount in amounts]
    # Where two changes would do, the amount is sure and neither is made.
    return [
        one if one.amount not in doubled else _meaning(item, {"amount": one.amount})
        for one in found.values()
    ]


def _products(item: Item, amounts: Sequence[Decimal], counted: bool) -> Iterator[Meaning]:
    counts, prices = readings(item.get("quantity")), readings(item.get("unit_price"))
    for price, amount in product(prices, amounts):
        for count in counts:
            if abs(count * price - amount) < _CENT:
                whole = {"quantity": count, "unit_price": price, "amount": amount}
                yield _meaning(item, whole)
        if counted and not counts and price and not amount % price:
            yield _meaning(item, {"unit_price": price, "amount": amount})


def _meaning(item: Item, values: Mapping[str, Decimal]) -> Meaning:
    changes = {
        name: value for name, value in values.items() if decimal_of(item[name].value) != value
    }
    return Meaning(values["amount"], changes)


@dataclass(slots=True)
class _Way:
    """The cheapest choice of meanings with one sum; ``number`` of choices that are as cheap."""

    cost: int
    number: int
    chosen: tuple[Meaning, ...]


def chosen(
    rows: Sequence[Sequence[Meaning]], wholes: Mapping[Decimal, int]
) -> tuple[Sequence[Meaning], Decimal] | None:
    """(a meaning a row, the sum) of the only cheapest way to come to one of ``wholes``, each with
    its own cost; None where there is none, or several."""
    ways = {Decimal(0): _Way(0, 1, ())}
    for meanings in rows:
        further: dict[Decimal, _Way] = {}
        least = min((meaning.cost for meaning in meanings), default=0)
        for total, way in ways.items():
            for meaning in meanings:
                cost = way.cost + meaning.cost - least
                if cost <= _MOST_CHANGES:
                    _add(further, total + meaning.amount, cost, way, meaning)
        ways = further
    found = {whole: ways[whole].cost + cost for whole, cost in wholes.items() if whole in ways}
    best = [whole for whole, cost in found.items() if cost == min(found.values())]
    if len(best) != 1 or ways[best[0]].number > 1 or found[best[0]] > _MOST_CHANGES:
        return None
    return ways[best[0]].chosen, best[0]


def _add(
    further: dict[Decimal, _Way], total: Decimal, cost: int, way: _Way, meaning: Meaning
) -> None:
    before = further.get(total)
    if before is not None and before.cost == cost:
        before.number += way.number
    elif before is None or before.cost > cost:
        further[total] = _Way(cost, way.number, (*way.chosen, meaning))
