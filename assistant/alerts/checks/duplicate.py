"""The same drug, or two of one class, at one time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from assistant.alerts.drug import Drug
from assistant.alerts.facts import Facts
from assistant.alerts.tables import groups
from assistant.alerts.way import Way

_TIME_OF_DAY = re.compile(r"早|晨|中午|午|晚|睡前|夜间|三餐|餐前|餐后")
_MOST = 100
"""Rows of one drug or class that are compared: a stay has a few, what is none, thousands."""
_AS_NEEDED = re.compile(r"必要时|需要时|prn|≥|>|时$", re.IGNORECASE)


def _systemic(facts: Facts) -> list[Drug]:
    local = re.compile(groups()["local"])
    return [
        drug
        for drug in facts.drugs
        if drug.row
        and not drug.is_once
        and not local.search(f"{drug.row.name} {drug.row.route}")
        and not _AS_NEEDED.search(drug.row.frequency)
    ]


def _together(one: Drug, other: Drug) -> bool:
    """Whether both are given on more than the day on which one takes the other's place."""
    if not one.overlaps(other) or one.row is None or other.row is None:
        return False
    starts = [row.start for row in (one.row, other.row) if row.start]
    stops = [row.stop for row in (one.row, other.row) if row.stop]
    return not starts or not stops or max(starts) < min(stops)


def _way(one: Drug, other: Drug, words: dict[str, str], key: str) -> Way:
    names = {"drug": one.name, "other": other.name, **words}
    both = tuple(sorted({one.generic, other.generic}))
    return Way(names, (one.evidence, other.evidence), (key, *both), (one, other))


def duplicate_ingredient(facts: Facts) -> Iterator[Way]:
    """Two rows of one drug; of several pairs the first."""
    rows: dict[str, list[Drug]] = {}
    for drug in _systemic(facts):
        rows.setdefault(drug.generic, []).append(drug)
    for same in rows.values():
        pairs = combinations(same[:_MOST], 2)
        if pair := next((two for two in pairs if _together(*two) and not _one_regimen(*two)), None):
            yield _way(*pair, {}, "ingredient")


def _one_regimen(one: Drug, other: Drug) -> bool:
    """早8U 晚10U as two rows is one regimen."""
    rows = [drug.row for drug in (one, other) if drug.row]
    parts = {(_TIME_OF_DAY.search(row.frequency) or [""])[0] for row in rows}
    return len(parts) == 2 and "" not in parts


def duplicate_class(facts: Facts) -> Iterator[Way]:
    """Two drugs of a class that is given once."""
    systemic = _systemic(facts)
    for group in groups()["duplicate"]:
        members = [drug for drug in systemic if group in drug.classes]
        for one, other in combinations(members[:_MOST], 2):
            if one.generic != other.generic and _together(one, other):
                yield _way(one, other, {"group": group}, group)
                break
