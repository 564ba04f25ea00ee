"""A cohort as a table (CSV, Parquet) and as an HL7 FHIR R4 Group."""

from __future__ import annotations

import csv
import importlib.util
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.record_index.access import Caller
from assistant.record_index.conditions_sql import Unit
from assistant.record_index.errors import SearchRefused
from assistant.record_index.language import parse
from assistant.record_index.query import Dated, OfPatient, leaves
from assistant.record_index.search import Found, search
from assistant.record_index.shown import deidentified
from assistant.store import Store

MOST = 100_000
"""Rows of a cohort."""

_PAGE = 200
_FIXED = ("patient", "note", "notes", "first_day", "last_day")
_OF_CONDITION = ("text", "value", "unit", "day", "note", "start", "end")
# A spreadsheet runs what begins so; a sign before a number is a number.
_FORMULA = re.compile(r"[=@\t\r]|[+-](?=[A-Za-z(])")


def cohort(
    store: Store,
    caller: Caller,
    query: str,
    *,
    unit: Unit = "patient",
    identified: bool = False,
    most: int = MOST,
) -> Found:
    """All rows of a query, each with an audit row.  Raises `SearchRefused`."""
    rows, offset = [], 0
    while True:
        page = search(
            store,
            caller,
            query,
            unit=unit,
            limit=_PAGE,
            offset=offset,
            purpose="record.export_identified" if identified else "record.export",
        )
        if page.total > most:
            raise SearchRefused(
                f"队列有 {page.total} 行，最多 {most} 行，请缩小范围。(Too many rows: narrow it.)"
            )
        shown = page if identified else deidentified(store, page)
        rows += shown.rows
        offset += _PAGE
        if offset >= page.total:
            return Found(query, unit, page.total, rows, page.notices)


def columns(query: str) -> list[str]:
    """The columns of a cohort's table: the row, then seven for each condition."""
    return [*_FIXED, *(f"{name} {part}" for name in _conditions(query) for part in _OF_CONDITION)]


def table(found: Found) -> Iterator[list[str]]:
    """A row a patient (or note), under `columns`; of each condition its newest evidence."""
    names = _conditions(found.query)
    for row in found.rows:
        cells = [row.patient_id, row.note_id, str(row.notes), row.first_day, row.last_day]
        for name in names:
            one = next((e for e in row.evidence if e.condition == name), None)
            if one is None:
                cells += [""] * len(_OF_CONDITION)
                continue
            place = (one.note_id, str(one.start), str(one.end))
            cells += [one.text, one.value, one.unit, one.on_date, *place]
        yield cells


def as_csv(found: Found) -> str:
    """The table; what a spreadsheet would run as a formula is made text."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_harmless(name) for name in columns(found.query))
    writer.writerows([_harmless(cell) for cell in row] for row in table(found))
    return out.getvalue()


def as_parquet(found: Found) -> bytes:
    """The table as a Parquet file of texts.  Raises `SearchRefused` without pyarrow."""
    if importlib.util.find_spec("pyarrow") is None:
        raise SearchRefused(
            "Parquet 需要 pyarrow：pip install 'bedside[parquet]'。(Needs pyarrow.)"
        )
    import pyarrow
    from pyarrow import parquet

    names = columns(found.query)
    rows = list(table(found))
    cells = [
        pyarrow.array([row[at] or None for row in rows], pyarrow.string())
        for at in range(len(names))
    ]
    out = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_arrays(cells, names=names), out, compression="zstd")
    return out.getvalue()


def as_group(found: Found) -> dict[str, Any]:
    """The patients of a cohort as an R4 Group of persons; its name is the query."""
    patients = list(dict.fromkeys(row.patient_id for row in found.rows))
    group: dict[str, Any] = {
        "resourceType": "Group",
        "type": "person",
        "actual": True,
        "name": found.query,
        "quantity": len(patients),
    }
    if patients:
        group["member"] = [
            {"entity": {"identifier": {"value": patient}, "type": "Patient"}}
            for patient in patients
        ]
    return group


def write_table(found: Found, target: Path) -> None:
    """CSV or Parquet, by the name of the file."""
    from assistant.whole_file import whole

    parquet = target.suffix == ".parquet"
    content = as_parquet(found) if parquet else as_csv(found).encode("utf-8-sig")
    with whole(target) as partial:
        partial.write_bytes(content)


def _conditions(query: str) -> list[str]:
    asked = (leaf for leaf, _ in leaves(parse(query)) if not isinstance(leaf, Dated | OfPatient))
    return list(dict.fromkeys(leaf.words for leaf in asked))


def _harmless(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
