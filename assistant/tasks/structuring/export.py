"""Structured notes and feature tables as JSON, JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from assistant.tasks.structuring.entity import Entity, StructuredNote
from assistant.tasks.structuring.features import FeatureTable
from knowledge.text.quantity import Comparator

COLUMNS = (
    "note_id", "entity", "start", "end", "text", "type", "type_zh", "polarity", "certainty",
    "temporality", "subject", "allergen", "reassuring", "section", "time", "date", "comparator",
    "value", "unit", "flag", "reference", "side", "concept", "codes", "terms", "source", "score",
)  # fmt: skip
# A spreadsheet runs what begins so; a sign before a number is a number.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?=[A-Za-z(])")


def as_object(note: StructuredNote) -> dict[str, Any]:
    """The note as plain data for JSON."""
    return note.model_dump(mode="json")


def json_line(value: dict[str, Any]) -> str:
    """One line of a JSON lines file, its end included."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def entities_csv(
    notes: Iterable[StructuredNote], *, header: bool = True, formulas: bool = False
) -> str:
    """One entity a line, under `COLUMNS`.

    What a spreadsheet would run as a formula is made text, unless ``formulas`` are let be.
    """
    rows = (_entity_row(note.note_id, e) for note in notes for e in note.entities)
    return _written(COLUMNS if header else None, rows, formulas=formulas)


def table_csv(table: FeatureTable, *, header: bool = True) -> str:
    """One row of the table a line: values, and for each the offsets that it comes from."""
    names = [f"{name}{suffix}" for name in table.columns for suffix in ("", "_span")]
    rows = []
    for row in table.rows:
        cells: list[str] = [row.note_id, str(row.row)]
        for name in table.columns:
            cell = row.cells[name]
            cells.append(quantity(cell))
            cells.append(" ".join(f"{m.start}-{m.end}" for m in cell.evidence))
        rows.append(cells)
    return _written(("note_id", "row", *names) if header else None, rows)


class Result(Protocol):
    """A value as notes give it: an entity's, a feature's, a point of a series."""

    @property
    def comparator(self) -> Comparator:
        """What stands before the number."""

    @property
    def value(self) -> str | None:
        """The number or the words."""

    @property
    def unit(self) -> str | None:
        """The unit."""


def quantity(result: Result) -> str:
    """A value with its sign and its unit: 6.5mL, <0.01ng/mL, 12.3×10^9/L; "" without one."""
    if result.value is None:
        return ""
    unit = result.unit or ""
    between = "×" if unit.startswith("10^") else ""
    return f"{result.comparator}{result.value}{between}{unit}"


def _entity_row(note_id: str, entity: Entity) -> Sequence[str]:
    values: dict[str, Any] = entity.model_dump(mode="json") | {
        "note_id": note_id,
        "entity": entity.id,
        "time": entity.time.text if entity.time else "",
        "date": entity.time.value if entity.time else "",
        "codes": "|".join(code.code for code in entity.codes),
        "terms": "|".join(code.name for code in entity.codes),
    }
    return ["" if values[name] is None else str(values[name]) for name in COLUMNS]


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _written(
    header: Sequence[str] | None, rows: Iterable[Sequence[str]], *, formulas: bool = False
) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    if header is not None:
        writer.writerow(header)
    for row in rows:
        writer.writerow(row if formulas else [_harmless(cell) for cell in row])
    return out.getvalue()
