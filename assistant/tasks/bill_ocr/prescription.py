"""Drugs of a prescription that has no table: a numbered line each, its 用法 on the line below.

The form is that of 处方管理办法 (2007), annex 1: name, strength and count behind Rp, then usage.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.tasks.bill_ocr.document import Item
from assistant.tasks.bill_ocr.fields import Place, parts_between
from assistant.tasks.bill_ocr.labels import folded
from assistant.tasks.bill_ocr.rows import Row, text_of
from assistant.tasks.bill_ocr.table import item_cell

_DOSE = r"\d[\d.]*\s*(?:mg|g|ml|mL|m1|ug|μg|IU|U|万|%|克|毫)"
_DRUG = re.compile(
    r"^\s*(?:(?:Rp|RP|R)[.:]?\s*)?(?:[(]?\d{1,2}\s*[.、,)]?\s*)?"
    rf"(?P<name>[\u4e00-\u9fff](?:(?!{_DOSE})[^\s:])*)\s*"
    rf"(?P<specification>{_DOSE}\S*?)?\s*[×xX*]?\s*"
    r"(?P<quantity>\d{1,3})\s*(?P<unit>[盒瓶支片袋粒丸贴板包剂副枚喷])\s*$"
)
_USAGE = re.compile(r"^\s*(?:用法用量|用法|Sig|sig|SIG|S)\s*[.:]\s*(?P<usage>\S.*)$")
_LOOKS = {
    "name": "text",
    "specification": "text",
    "quantity": "number",
    "unit": "text",
    "usage": "text",
}


def listed_drugs(rows: Sequence[Row], place: Place) -> list[Item]:
    """The drugs of these rows, each with its usage where one follows; [] where there are none."""
    items: list[Item] = []
    for row in rows:
        text = folded(text_of(row))
        if (drug := _DRUG.match(text)) is not None:
            items.append(_cells(row, drug, place))
        elif items and "usage" not in items[-1] and (usage := _USAGE.match(text)) is not None:
            items[-1] |= _cells(row, usage, place)
    return items


def _cells(row: Row, found: re.Match[str], place: Place) -> Item:
    cells: Item = {}
    for name, text in found.groupdict().items():
        if text:
            parts = parts_between(row, *found.span(name), 1)
            cells[name] = item_cell(name, parts, _LOOKS[name], place)
    return cells
