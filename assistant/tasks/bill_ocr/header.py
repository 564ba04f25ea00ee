"""The head of a table: which columns it has, and where; tables side by side are blocks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from statistics import median

from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.labels import covers, folded, nearest, table_of
from assistant.tasks.bill_ocr.rows import Row

_SKIPPED = "()元:/¥ |"
_NUMERIC = frozenset({"amount", "unit_price", "quantity", "value"})


@dataclass(slots=True)
class Column:
    """A column and the stretch of x that is its own; ``left`` and ``right`` are of its word."""

    name: str
    looks: str
    left: float
    right: float
    low: float = 0.0
    high: float = 0.0
    edge: tuple[str, float] = ("", 0.0)

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(slots=True)
class Block:
    """Columns from left to right."""

    columns: list[Column] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


@dataclass(frozen=True, slots=True)
class Header:
    """A row of column names."""

    row: int
    blocks: list[Block]

    @property
    def names(self) -> set[str]:
        return {name for block in self.blocks for name in block.names}


@cache
def _words() -> tuple[tuple[str, str, str], ...]:
    """(word, column, looks), the longest first."""
    found = [
        (word, column, looks)
        for column, looks, words in table_of("columns.tsv")
        for word in words.split("|")
    ]
    return tuple(sorted(found, key=lambda one: -len(one[0])))


@cache
def _words_from(first: str) -> tuple[tuple[str, str, str], ...]:
    """Those of `_words` that may begin with this character."""
    return tuple(one for one in _words() if one[0][0].lower() == first.lower())


def columns_of(part: Fragment) -> list[Column] | None:
    """The columns that a fragment of a head names; None where it says anything else."""
    text = folded(part.text)
    found: list[Column] = []
    at = 0
    while at < len(text):
        if text[at] in _SKIPPED:
            at += 1
            continue
        for word, column, looks in _words_from(text[at]):
            if length := covers(text, at, word):
                end = at + length
                found.append(Column(column, looks, part.starts[at], part.ends[end - 1]))
                at = end
                break
        else:
            return _misread(part, text) if not found else None
    return found or None


def _misread(part: Fragment, text: str) -> list[Column] | None:
    near = nearest(text.strip(_SKIPPED), [word for word, _, _ in _words() if len(word) >= 3])
    for word, column, looks in _words():
        if word == near:
            return [Column(column, looks, part.left, part.right)]
    return None


def find_header(rows: Sequence[Row], start: int = 0) -> Header | None:
    """The first row from ``start`` that names the columns of a table."""
    for number in range(start, len(rows)):
        row = rows[number]
        found = [columns for part in _joined(row) if (columns := columns_of(part))]
        columns = [column for group in found for column in group]
        names = {column.name for column in columns}
        named = sum(len(part.text) for part in _joined(row) if columns_of(part))
        share = named / sum(len(part.text) for part in row)
        if share > 0.55 and "name" in names and names & _NUMERIC:
            return Header(number, _blocks(columns))
    return None


def _joined(row: Row) -> Row:
    """Words of a head may be printed wide: 金 额, 单 价, 数 量."""
    joined: Row = []
    for part in row:
        last = joined[-1] if joined else None
        if (
            last is not None and len(last.text) == 1 and len(part.text) == 1
            and part.left - last.right < 3.5 * part.height
        ):  # fmt: skip
            joined[-1] = Fragment(
                last.text + part.text, last.starts + part.starts, last.ends + part.ends,
                last.top, last.bottom, last.confidence, last.line, last.first,
            )  # fmt: skip
        else:
            joined.append(part)
    return joined


def _blocks(columns: Sequence[Column]) -> list[Block]:
    blocks = [Block()]
    for column in sorted(columns, key=lambda one: one.left):
        if column.name in blocks[-1].names:
            blocks.append(Block())
        blocks[-1].columns.append(column)
    fullest = max(blocks, key=lambda block: len(block.columns))
    for block in blocks:
        _complete(block, fullest)
    _share_out(blocks)
    return blocks


def _complete(block: Block, other: Block) -> None:
    """Tables side by side have the same columns: heads that were not read stand as far from the
    others as they do beside it."""
    there = {column.name: column for column in other.columns}
    if block is other or not set(block.names) <= there.keys():
        return
    shift = median(column.left - there[column.name].left for column in block.columns)
    for column in other.columns:
        if column.name not in block.names:
            moved = replace(column, left=column.left + shift, right=column.right + shift)
            block.columns.append(moved)
    block.columns.sort(key=lambda column: column.left)


def _share_out(blocks: Sequence[Block]) -> None:
    """Give each column the way to the middle between its word and its neighbours'."""
    every = [column for block in blocks for column in block.columns]
    for before, after in itertools.pairwise(every):
        before.high = after.low = (before.right + after.left) / 2
    if len(every) > 1:
        every[0].low = every[0].left - (every[0].high - every[0].right) - 1e4
        every[-1].high = every[-1].right + (every[-1].left - every[-1].low) + 1e4
