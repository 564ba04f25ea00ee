"""Facts on a layout: the page as it comes out of the printer, with its truth."""

from __future__ import annotations

from random import Random

from eval.clinical.bills.generator.facts import Facts, make_facts
from eval.clinical.bills.generator.layout import Layout, Lines
from eval.clinical.bills.generator.page import Box, Page, Truth
from eval.clinical.bills.generator.printing import printed
from eval.clinical.bills.generator.table import print_table


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
        bottom = print_table(page, layout.table, facts)
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
