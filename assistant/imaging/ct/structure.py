"""The structures that are found in CT without weights: names, codes, colours (structures.tsv)."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("structures.tsv")


@dataclass(frozen=True, slots=True)
class Structure:
    """``code`` is SNOMED CT, empty where none is sure; ``colour`` is ``#rrggbb``."""

    name: str
    zh: str
    en: str
    code: str
    colour: str
    what: str


def read() -> dict[str, Structure]:
    """By name, in the order in which they are painted: a later one lies over an earlier."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, dialect="excel-tab")
        return {row["name"]: Structure(**row) for row in rows}
