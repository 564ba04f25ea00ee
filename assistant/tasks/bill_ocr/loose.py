"""Amounts that stand on a page outside of its tables, and whose label was not read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from assistant.record.evidence import Rectangle
from assistant.tasks.bill_ocr.document import Cell
from assistant.tasks.bill_ocr.fields import Place, cell_of
from assistant.tasks.bill_ocr.labels import folded
from assistant.tasks.bill_ocr.rows import Row

_MONEY = re.compile(r"¥?\d[\d,]*\.\d\d(?!\d)")


def loose_amounts(rows: Sequence[Row], fields: Mapping[str, Cell], place: Place) -> Iterator[Cell]:
    """The amounts in ``rows`` that none of ``fields`` was read from."""
    taken = [cell.box for cell in fields.values() if cell.box is not None]
    for row in rows:
        for part in row:
            for found in _MONEY.finditer(folded(part.text)):
                cell = cell_of([part.part(*found.span())], "amount", place)
                where = None if cell is None else cell.box
                if cell is not None and where and not any(_holds(box, where) for box in taken):
                    yield cell


def _holds(box: Rectangle, other: Rectangle) -> bool:
    """Whether the middle of ``other`` lies in ``box``."""
    x, y = other.x + other.width / 2, other.y + other.height / 2
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
