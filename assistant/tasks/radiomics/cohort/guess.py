"""What each column of a table is most likely for: by its name, and by what stands in it.

A guess is shown before anything is made of it, and whoever asks may say otherwise.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.cells import Cells
from assistant.tasks.radiomics.cohort.roles import Roles, column_text

_MOST_CLASSES = 10


@dataclass(frozen=True)
class Described:
    """A column as it is shown.  ``role``: empty for a feature; ``values``: how many differ."""

    name: str
    role: str
    is_number: bool
    values: int
    missing: int


@dataclass(frozen=True)
class Guess:
    """The roles, the clinical columns, and every column."""

    roles: Roles
    clinical: tuple[str, ...]
    columns: tuple[Described, ...]

    def as_data(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "roles": vars(self.roles),
            "clinical": list(self.clinical),
            "columns": [vars(column) for column in self.columns],
        }


def guess(cells: Cells) -> Guess:
    """Which column is what.

    A time counts only beside an event of two values; an id only where no two cases share one.
    Without a name that is known, the outcome is the last column if that has two values.
    """
    texts = {name: column_text(cells, name) for name in cells.names if name}
    values = {name: len({v for v in column if v}) for name, column in texts.items()}
    numbers = {n: _all_numbers(cells, n) for n in texts}

    def first(role: str, fits: Any) -> str:
        named = [name for name in texts if _normal(name) in _names()[role]]
        return next((name for name in named if fits(name)), "")

    time = first("time", lambda n: numbers[n] and values[n] > 2)
    event = first("event", lambda n: values[n] == 2) if time else ""
    outcome = "" if event else first("outcome", lambda n: 2 <= values[n] <= _MOST_CLASSES)
    if not event and not outcome:
        # One with a name that is known, whatever it holds: what is wrong with it is then told.
        outcome = first("outcome", lambda n: values[n] > 0)
    if not event and not outcome:
        last = next((n for n in reversed(list(texts))), "")
        outcome = last if last and values[last] == 2 else ""
    id_column = first("id", lambda n: values[n] == len(cells.lines))
    site = first("site", lambda n: 2 <= values[n] <= max(2, len(cells.lines) // 2))
    roles = Roles(outcome, time if event else "", event, id_column, site)
    clinical = tuple(
        name for name in texts if _normal(name) in _names()["clinical"] and name not in roles.aside
    )
    by_name = {column: role for role, column in vars(roles).items() if column}
    by_name |= dict.fromkeys(clinical, "clinical")
    columns = tuple(
        Described(
            name,
            by_name.get(name, ""),
            numbers[name],
            values[name],
            sum(not v for v in texts[name]),
        )
        for name in texts
    )
    return Guess(roles, clinical, columns)


def _all_numbers(cells: Cells, name: str) -> bool:
    place = cells.names.index(name)
    return place not in cells.texts and bool(np.isfinite(cells.numbers[:, place]).any())


def _normal(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


@cache
def _names() -> dict[str, frozenset[str]]:
    place = files("assistant.tasks.radiomics.cohort").joinpath("data").joinpath("roles.tsv")
    rows = csv.DictReader(place.read_text("utf-8").splitlines(), delimiter="\t")
    return {row["role"]: frozenset(row["names"].split(" ")) for row in rows}
