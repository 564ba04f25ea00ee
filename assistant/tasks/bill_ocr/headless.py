"""Columns whose head was not read: figures that stand in pairs under one head are two columns.

Which of them lost its head (a stroke of a pen or a seal lay over it) is told by arithmetic: with
the columns that are known, quantity × price = amount in most rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from statistics import median

from assistant.tasks.bill_ocr.cells import Dealt
from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.header import Block, Column
from assistant.tasks.bill_ocr.labels import folded
from assistant.tasks.bill_ocr.values import decimal_of

_FIGURES = ("quantity", "unit_price", "amount")
_NUMBER = re.compile(r"¥?-?\d[\d,]*\.?\d*")
_APART = 0.6
"""Two figures stand so many heights apart, or are one."""
_MOST = 0.6
_CENT = Decimal("0.01")
Pair = tuple[Fragment, Fragment]


def part_pairs(blocks: Sequence[Block], dealt: Sequence[Dealt]) -> bool:
    """Give each column of figures that holds two the second one a column of its own; whether any
    did.  ``dealt`` are the rows over the columns of all blocks."""
    first, parted = 0, False
    for block in blocks:
        rows = [row[first : first + len(block.columns)] for row in dealt]
        first += len(block.columns)
        missing = [name for name in _FIGURES if name not in block.names]
        for at, column in enumerate(block.columns):
            if column.name in _FIGURES and len(missing) == 1:
                pairs = [_pair(row[at]) for row in rows]
                if names := _names(block, rows, pairs, column, missing[0]):
                    found = [pair for pair in pairs if pair is not None]
                    block.columns[at : at + 1] = _two(column, names, found)
                    parted = True
                    break
    return parted


def _pair(cell: Sequence[Fragment]) -> Pair | None:
    """The two figures of a cell; None where it holds anything else."""
    groups: list[list[Fragment]] = []
    for part in cell:
        if groups and part.left - groups[-1][-1].right < _APART * part.height:
            groups[-1].append(part)
        else:
            groups.append([part])
    if len(groups) != 2 or any(len(group) > 1 for group in groups):
        return None
    (left,), (right,) = groups
    numbers = all(_NUMBER.fullmatch(folded(part.text)) for part in (left, right))
    return (left, right) if numbers else None


def _names(
    block: Block,
    rows: Sequence[Dealt],
    pairs: Sequence[Pair | None],
    column: Column,
    missing: str,
) -> tuple[str, str] | None:
    """What the two figures of most rows are, so that their products come out, the one that stands
    nearer to the head being under it; None where they do not."""
    found = [(row, pair) for row, pair in zip(rows, pairs, strict=True) if pair is not None]
    at = [one.name for one in block.columns].index(column.name)
    if not found or len(found) < _MOST * sum(bool(row[at]) for row in rows):
        return None
    away = [
        median(abs((pair[side].left + pair[side].right) / 2 - column.middle) for _, pair in found)
        for side in (0, 1)
    ]
    names = (column.name, missing) if away[0] < away[1] else (missing, column.name)
    third = next(n for n, one in enumerate(block.columns) if one.name in _FIGURES and n != at)
    right = 0
    for row, pair in found:
        text = "".join(part.text for part in row[third])
        texts = {names[0]: pair[0].text, names[1]: pair[1].text}
        right += _agree({**texts, block.columns[third].name: text})
    return names if right >= _MOST * len(found) else None


def _agree(texts: Mapping[str, str]) -> bool:
    values = {name: decimal_of(folded(text).lstrip("¥")) for name, text in texts.items()}
    count, price, amount = (values[name] for name in _FIGURES)
    if count is None or price is None or amount is None:
        return False
    return abs(count * price - amount) < _CENT


def _two(column: Column, names: tuple[str, str], pairs: Sequence[Pair]) -> list[Column]:
    middle = median((left.right + right.left) / 2 for left, right in pairs)
    both = [replace(column, name=names[0], high=middle), replace(column, name=names[1])]
    for number, one in enumerate(both):
        one.left = median(pair[number].left for pair in pairs)
        one.right = median(pair[number].right for pair in pairs)
    both[1].low = middle
    return both
