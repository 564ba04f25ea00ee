"""The columns of a table as a model takes them: a number each, and one for each named value."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from assistant.tasks.radiomics.cohort.cells import Cells
from assistant.tasks.radiomics.cohort.outcome import Floats
from assistant.tasks.radiomics.cohort.refusal import CohortRefused

_MOST_VALUES = 10


@dataclass(frozen=True)
class Column:
    """A number that a model is given.  ``value``: for a column of names, the name that is 1."""

    source: str
    value: str | None = None

    @property
    def name(self) -> str:
        """As it is shown: ``年龄``, or ``性别=女``."""
        return self.source if self.value is None else f"{self.source}={self.value}"


@dataclass(frozen=True)
class LeftOut:
    """A column that is no feature, and why (Chinese)."""

    name: str
    why: str


@dataclass(frozen=True)
class Columns:
    """What is read of a table, in order."""

    taken: tuple[Column, ...]
    left_out: tuple[LeftOut, ...] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """As they are shown."""
        return tuple(column.name for column in self.taken)


def find_columns(cells: Cells, aside: Collection[str], categorical: Collection[str]) -> Columns:
    """Every column of ``cells`` but those ``aside``.

    A column of text with at most ten values is one of names, of which each but the most frequent
    gets a number.

    Raises:
        CohortRefused: a column has numbers and text, or nothing is left.
    """
    taken: list[Column] = []
    left_out: list[LeftOut] = []
    for place, name in enumerate(cells.names):
        if name in aside:
            continue
        text = cells.texts.get(place, {})
        numbers = np.isfinite(cells.numbers[:, place])
        if not name:
            left_out.append(LeftOut(f"第 {place + 1} 列", "没有列名"))
        elif not text and not numbers.any():
            left_out.append(LeftOut(name, "全部缺失"))
        elif name in categorical or (text and not numbers.any()):
            values = _values(cells, place)
            if len(set(values)) > _MOST_VALUES:
                left_out.append(LeftOut(name, f"文字列，有 {len(set(values))} 个不同的值"))
                continue
            ordered = sorted(set(values), key=lambda v: (-values.count(v), v))
            taken += [Column(name, value) for value in ordered[1:]]
            if len(ordered) == 1:
                left_out.append(LeftOut(name, "只有一个值"))
        elif text:
            _refuse_mixed(cells, name, text)
        else:
            taken.append(Column(name))
    if not taken:
        raise CohortRefused(
            "没有可用的特征列：请检查列名、缺失值和 drop 设置。"
            "(No column is left that could be a feature.)"
        )
    return Columns(tuple(taken), tuple(left_out))


def encode(cells: Cells, columns: Columns) -> Floats:
    """Cases × columns, NaN where a cell is empty; a name that was not there before is no name.

    Raises:
        CohortRefused: a column is not there, or has text where numbers are.
    """
    places = {name: place for place, name in enumerate(cells.names)}
    missing = list(dict.fromkeys(c.source for c in columns.taken if c.source not in places))
    if missing:
        shown = "、".join(missing[:5]) + (" 等" if len(missing) > 5 else "")
        raise CohortRefused(
            f"表格缺少模型需要的 {len(missing)} 列：{shown}。请补上这些列（值可留空）。"
            f"(The table lacks {len(missing)} columns of the model: {', '.join(missing[:5])}.)"
        )
    made = np.full((len(cells.lines), len(columns.taken)), np.nan)
    named: dict[int, list[str]] = {}
    for index, column in enumerate(columns.taken):
        place = places[column.source]
        if column.value is None:
            if text := cells.texts.get(place):
                _refuse_mixed(cells, column.source, text)
            made[:, index] = cells.numbers[:, place]
            continue
        if place not in named:
            named[place] = _texts(cells, place)
        made[:, index] = [np.nan if t == "" else t == column.value for t in named[place]]
    return made


def _texts(cells: Cells, place: int) -> list[str]:
    """A column as text, numbers as they are said; empty where the cell is."""
    text = cells.texts.get(place, {})
    return [
        text.get(row) or ("" if np.isnan(number) else f"{number:g}")
        for row, number in enumerate(cells.numbers[:, place])
    ]


def _values(cells: Cells, place: int) -> list[str]:
    return [value for value in _texts(cells, place) if value]


def _refuse_mixed(cells: Cells, name: str, text: dict[int, str]) -> None:
    lines = "、".join(str(cells.lines[row]) for row in sorted(text)[:5])
    raise CohortRefused(
        f"列“{name}”应为数字，但有 {len(text)} 格是文字（文件第 {lines} 行）：请改为数字或留空；"
        f"若数字只是代号，请在设置 categorical 中列出该列。"
        f"(Column {name!r} has text in {len(text)} cells, on lines {lines}: a number or an empty "
        "cell; a column of codes is named under `categorical`.)"
    )
