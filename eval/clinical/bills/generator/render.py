"""Facts on a layout: the page as it comes out of the printer, with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from assistant.tasks.bill_ocr.chinese_amount import in_words
from assistant.tasks.bill_ocr.document import DocumentKind
from eval.clinical.bills.generator.facts import Facts, make_facts
from eval.clinical.bills.generator.layout import Column, Layout, Lines, Table
from eval.clinical.bills.generator.page import Box, Page

AMOUNTS = frozenset(
    [
        "total",
        "fund_paid",
        "account_paid",
        "self_paid",
        "own_expense",
        "cash_paid",
        "deposit",
        "refund",
        "top_up",
    ]
)
DATES = frozenset(["date", "admitted_on", "discharged_on"])
MARGIN = 12


def draw(layout: Layout, seed: int) -> tuple[Page, Facts]:
    """The page of this seed."""
    random = Random(f"{layout.name} {seed}")  # noqa: S311
    rows = layout.table.rows if layout.table else (1, 1)
    facts = make_facts(layout.kind, rows, random)
    height = _height(layout, facts)
    page = Page.of(layout, height, random)
    if layout.hospital:
        box = _centred(page, layout.hospital.y, layout.hospital.size, facts.values["hospital"])
        _true(page, ("fields", "hospital"), facts.values["hospital"], box)
    _centred(page, layout.title.y, layout.title.size, layout.title.text)
    _lines(page, layout.lines, facts, layout.lines.top)
    bottom: float = layout.lines.top + layout.lines.height * len(layout.lines.rows)
    if layout.table:
        bottom = _table(page, layout.table, facts, random)
    if layout.foot:
        _lines(page, layout.foot, facts, bottom + 20)
    if layout.qr:
        _qr(page, facts)
    return page, facts


def _height(layout: Layout, facts: Facts) -> int:
    """Long lists need a longer page; the page is cut where it ends otherwise."""
    if layout.table is None:
        return layout.page[1]
    table = layout.table
    count = len(facts.groups) if table.source == "groups" else len(facts.items)
    extra = len(facts.groups) + 2 if table.subtotals or table.total else 1
    wraps = any(column.wrap for column in table.columns)
    needed = (-(-count // table.blocks) * (1.5 if wraps else 1) + extra + 1) * table.row
    foot = layout.foot.height * len(layout.foot.rows) + 60 if layout.foot else 60
    return max(int(table.top + needed + foot), min(layout.page[1], table.top + 400))


def _true(page: Page, path: tuple[str, ...], value: str, box: Box, text: str = "") -> None:
    from eval.clinical.bills.generator.page import Truth

    page.truth.append(Truth(path, value, text or value, box))


def _centred(page: Page, y: float, size: int, text: str) -> Box:
    x = (page.layout.page[0] - page.width(text, size, "title")) / 2
    return page.write(x, y, text, size, "title")


def _lines(page: Page, lines: Lines, facts: Facts, top: float) -> None:
    for number, row in enumerate(lines.rows):
        y = top + number * lines.height
        for x, label, name, *more in row:
            at, prefix = (int(more[0]) if more else 0), (str(more[1]) if len(more) > 1 else "")
            _entry(page, facts, float(x), y, (str(label), str(name), at, prefix), lines.size)


def _entry(
    page: Page, facts: Facts, x: float, y: float, entry: tuple[str, str, int, str], size: int
) -> None:
    label, name, at, prefix = entry
    box = page.write(x, y, label, size, "label")
    value = facts.values.get(name)
    if value is None:
        return
    text = prefix + printed(page.layout, name, value)
    start = float(at) if at else x + page.width(label, size, "label") + 2
    if name in ("course", "orders"):
        _paragraph(page, start, y, text, size)
        return
    box = page.write(start, y, text, size)
    _true(page, ("fields", name), value, box, text)


def _paragraph(page: Page, x: float, y: float, text: str, size: int) -> None:
    """Text that is read and is no field."""
    page.write(x, y, text, size - 2)


def printed(layout: Layout, name: str, value: str) -> str:
    """A value as this layout prints it."""
    if name == "total_in_words":
        return in_words(value)
    if name in AMOUNTS:
        return f"{float(value):,.2f}" if layout.amounts == "," else value
    if name in DATES:
        year, month, day = (int(part) for part in value.split("-"))
        return layout.dates.format(y=year, m=month, d=day)
    return value


def _rows(table: Table, facts: Facts) -> list[dict[str, str]]:
    if table.source == "groups":
        return [{"name": name, "amount": amount} for name, amount in facts.groups]
    return facts.items


def _table(page: Page, table: Table, facts: Facts, random: Random) -> float:
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


def _qr(page: Page, facts: Facts) -> None:
    """The code of an electronic bill: 01, kind, code, number, amount, day, check code."""
    import zxingcpp
    from PIL import Image

    code, values = page.layout.qr, facts.values
    assert code is not None
    day = values["date"].replace("-", "")
    parts = ("01", code.type, values["invoice_code"], values["invoice_number"], values["total"])
    text = ",".join((*parts, day, values["check_code"]))
    made = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    picture = Image.fromarray(made.to_image(scale=4, add_quiet_zones=True)).convert("RGB")
    picture = picture.resize((code.size, code.size), Image.Resampling.NEAREST)
    page.image.paste(picture, (code.x, code.y))


def is_money(kind: DocumentKind) -> bool:
    """Whether such a page has sums."""
    return kind not in (DocumentKind.LABORATORY_SHEET, DocumentKind.DISCHARGE_RECORD)
