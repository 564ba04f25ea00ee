"""The table of a page: its head, its rows, wrapped names, subtotals and the total."""

from __future__ import annotations

from collections.abc import Sequence

from eval.clinical.bills.generator.facts import Facts
from eval.clinical.bills.generator.layout import Column, Table
from eval.clinical.bills.generator.page import Box, Page, Truth
from eval.clinical.bills.generator.printing import printed

MARGIN = 12


def _rows(table: Table, facts: Facts) -> list[dict[str, str]]:
    if table.source == "groups":
        return [{"name": name, "amount": amount} for name, amount in facts.groups]
    return facts.items


def print_table(page: Page, table: Table, facts: Facts) -> float:
    """Print the table and give the y of its end."""
    rows = _rows(table, facts)
    width = sum(column.width for column in table.columns)
    deep = -(-len(rows) // table.blocks)
    end = 0.0
    for block in range(table.blocks):
        left = table.left + block * (width + 20)
        _header(page, table, left)
        part = rows[block * deep : (block + 1) * deep]
        first = block * deep
        end = max(end, _block(page, table, facts, (left, width), part, first))
    if table.total and "total" in facts.values:
        x = table.left + 4
        page.write(x, end + 8, table.total, table.size, "label")
        last = _left_of(table, "amount", table.left)
        column = next(c for c in table.columns if c.column == "amount")
        text = printed(page.layout, "total", facts.values["total"])
        box = _aligned(page, column, last, end + 8, text, table.size)
        _true(page, ("fields", "total"), facts.values["total"], box, text)
        end += table.row
        page.rule((table.left, end, table.left + width, end))
    return end


def _left_of(table: Table, name: str, left: float) -> float:
    for column in table.columns:
        if column.column == name:
            return left
        left += column.width
    return left


def _header(page: Page, table: Table, left: float) -> None:
    x = left
    for column in table.columns:
        y = table.top + (table.row - table.size) / 2 - 3
        if column.label:
            room = column.width - page.width(column.label, table.size, "label")
            indent = room / 2 if table.grid or column.align == "centre" else 5
            if column.align == "right" and not table.grid:
                indent = room - 5
            page.write(x + indent, y, column.label, table.size, "label")
        x += column.width


def _block(
    page: Page,
    table: Table,
    facts: Facts,
    place: tuple[float, float],
    rows: Sequence[dict[str, str]],
    first: int,
) -> float:
    left, width = place
    y = float(table.top + table.row)
    if table.grid or table.rules:
        page.rule((left, table.top, left + width, table.top))
        page.rule((left, y, left + width, y))
    group = ""
    for number, row in enumerate(rows):
        if table.subtotals and group and row["group"] != group:
            y = _subtotal(page, table, facts, group, left, y)
        group = row.get("group", "")
        y = _item(page, table, row, first + number, left, y)
        if table.grid:
            page.rule((left, y, left + width, y))
    if table.subtotals and group:
        y = _subtotal(page, table, facts, group, left, y)
    if table.rules:
        page.rule((left, y, left + width, y))
    if table.grid:
        x = left
        for column in [*table.columns, None]:
            page.rule((x, table.top, x, y))
            x += column.width if column else 0
    return y


def _subtotal(page: Page, table: Table, facts: Facts, group: str, left: float, y: float) -> float:
    amount = dict(facts.groups)[group]
    top = y + (table.row - table.size) / 2 - 3
    page.write(left + 5, top, f"{group}小计", table.size, "label")
    column = next(c for c in table.columns if c.column == "amount")
    _aligned(page, column, _left_of(table, "amount", left), top, amount, table.size)
    return y + table.row


def _item(
    page: Page, table: Table, row: dict[str, str], number: int, left: float, y: float
) -> float:
    x, lines = left, 1
    for column in table.columns:
        if column.wrap:
            lines = max(lines, len(_wrapped(page, row[column.column], column.width, table.size)))
    step = table.size + 5
    middle = y + (table.row + (lines - 1) * step - table.size) / 2 - 3
    for column in table.columns:
        text = row.get(column.column, "")
        if text:
            parts = [text]
            if column.wrap:
                parts = _wrapped(page, text, column.width, table.size)
            start = middle - (len(parts) - 1) * step / 2
            boxes = [
                _aligned(page, column, x, start + i * step, part, table.size)
                for i, part in enumerate(parts)
            ]
            _true(page, ("items", str(number), column.column), text, _around(boxes))
        x += column.width
    return y + table.row + (lines - 1) * step


def _wrapped(page: Page, text: str, width: int, size: int) -> list[str]:
    parts = [""]
    for character in text:
        if page.width(parts[-1] + character, size) > width - 14:
            parts.append("")
        parts[-1] += character
    return parts


def _aligned(page: Page, column: Column, x: float, y: float, text: str, size: int) -> Box:
    room = column.width - page.width(text, size)
    if room < MARGIN:
        size = max(12, int(size * (column.width - MARGIN) / page.width(text, size)))
        room = column.width - page.width(text, size)
    indent = {"left": 5.0, "right": room - 5, "centre": room / 2}[column.align]
    return page.write(x + indent, y, text, size)


def _around(boxes: Sequence[Box]) -> Box:
    return (
        min(b[0] for b in boxes), min(b[1] for b in boxes),
        max(b[2] for b in boxes), max(b[3] for b in boxes),
    )  # fmt: skip


def _true(page: Page, path: tuple[str, ...], value: str, box: Box, text: str = "") -> None:
    page.truth.append(Truth(path, value, text or value, box))
