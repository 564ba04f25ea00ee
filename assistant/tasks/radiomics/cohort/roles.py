"""Which column of a table is what."""

from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import dataclass

import numpy as np

from assistant.tasks.radiomics.cohort.cells import Cells
from assistant.tasks.radiomics.cohort.outcome import Texts
from assistant.tasks.radiomics.cohort.refusal import CohortRefused


@dataclass(frozen=True)
class Roles:
    """Which column is what; empty: none."""

    outcome: str = ""
    time: str = ""
    event: str = ""
    id: str = ""
    site: str = ""

    @property
    def is_survival(self) -> bool:
        """Whether times are given."""
        return bool(self.time)

    @property
    def aside(self) -> set[str]:
        """The columns that are never features."""
        return {self.outcome, self.time, self.event, self.id, self.site} - {""}


def place_of(cells: Cells, name: str) -> int:
    """Where a column is.

    Raises:
        CohortRefused: there is none of that name.
    """
    if name in cells.names:
        return cells.names.index(name)
    near = difflib.get_close_matches(name, cells.names, 3)
    hint = f"，相近的有：{'、'.join(near)}" if near else ""
    raise CohortRefused(
        f"表格没有列“{name}”{hint}。请按表头原样写列名。(There is no column {name!r}.)"
    )


def column_text(cells: Cells, name: str) -> list[str]:
    """A column as text, empty where the cell is."""
    place = place_of(cells, name)
    text = cells.texts.get(place, {})
    return [
        text.get(row) or ("" if np.isnan(number) else f"{number:.15g}")
        for row, number in enumerate(cells.numbers[:, place])
    ]


def case_ids(cells: Cells, column: str) -> list[str]:
    """What cases are called: their id, else their line.

    Raises:
        CohortRefused: an id is missing or is there twice.
    """
    if not column:
        return [f"第{line}行" for line in cells.lines]
    ids = column_text(cells, column)
    if empty := sum(not name for name in ids):
        raise CohortRefused(
            f"编号列“{column}”有 {empty} 格为空：请补全编号。({empty} ids are empty.)"
        )
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        places = [line for line, name in zip(cells.lines, ids, strict=True) if name in twice]
        shown = "、".join(map(str, places[:6]))
        raise CohortRefused(
            f"有 {len(twice)} 个编号重复（文件第 {shown} 行）：每例只能有一行，请合并或删去重复行。"
            f"({len(twice)} ids are there twice, on lines {shown}: one line a case.)"
        )
    return ids


def site_names(cells: Cells, column: str) -> Texts:
    """The site of each case, empty where ``column`` is."""
    if not column:
        return np.full(len(cells.lines), "", dtype="U1")
    return np.array([name or "未知" for name in column_text(cells, column)])
