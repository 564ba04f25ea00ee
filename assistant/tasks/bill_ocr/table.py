"""Rows below a head as items; wrapped names joined, subtotals and totals told apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from assistant.tasks.bill_ocr.cells import deal, settle
from assistant.tasks.bill_ocr.document import Cell, DocumentKind, Item
from assistant.tasks.bill_ocr.fields import Place
from assistant.tasks.bill_ocr.foot import TOTAL, is_foot
from assistant.tasks.bill_ocr.fragment import Fragment, box_of
from assistant.tasks.bill_ocr.header import Block, Header
from assistant.tasks.bill_ocr.headless import part_pairs
from assistant.tasks.bill_ocr.labels import folded
from assistant.tasks.bill_ocr.laboratory import ARROWS, begins_with_arrow, meant_range
from assistant.tasks.bill_ocr.other_readings import may_be_figure, meanings, other_texts
from assistant.tasks.bill_ocr.rows import Row, middle
from assistant.tasks.bill_ocr.units import CLASSES, only_of, tidy_unit
from assistant.tasks.bill_ocr.values import NO_POINT, UNREADABLE, decimal_of, money
from knowledge.text.number import plain
from serving.ocr.alphabet import MEASURES

_SUBTOTAL = re.compile(r"小计|分类合计|本页合计|页计")
_EDGES = " |丨_[]"
_LITRES = re.compile(r"(?<=\d)m[1I|](?![a-zA-Z\d])")
_TIMES = re.compile(r"(?<=[\dglIU袋粒片支%])[°×xX\"'’“”~](?=\d)")
# Between a strength and a count stands a sign of multiplication: 2mg15片.
_LOST_SIGN = re.compile(r"(?<=[gl])(?=\d+[片粒袋丸支枚贴])")
# There is no numeral of four: the network sees one stroke of Ⅲ twice.
_STROKES = re.compile(r"(?<![A-Z])I{4,}(?![A-Z])")
_COUNTED = re.compile(r"(\d{1,4})([\u4e00-\u9fff]{1,2})")
_PRODUCT = re.compile(r"(\d[\d,]*\.?\d*)\s*[×xX*]\s*(\d[\d,]*\.?\d*)")
_CLASS = re.compile(r"(?<=\.\d\d)\s*[(（\[]?[甲乙丙][)）\]]?类?$")
READ_OTHERWISE = "不成范围，取另一读法，原读作 {}"
_FIGURES = ("amount", "quantity", "unit_price", "price_and_quantity", "value")
_SINGLE = {"unit": MEASURES, "class": CLASSES}
"""What a single character is in a column of that look."""
_FAR = 3.2
_WRAPPED = frozenset({"name", "specification"})
_NEARER = 0.72
Cells = dict[str, list[Fragment]]


@dataclass(slots=True)
class Table:
    """``subtotals`` are (the number of items before it, the cell); ``ended`` is the row behind."""

    items: list[Item] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    subtotals: list[tuple[int, Cell]] = field(default_factory=list)
    total: Cell | None = None
    ended: int = 0


@dataclass(slots=True)
class _Line:
    cells: Cells
    y: float
    height: float


def read_table(rows: Sequence[Row], header: Header, kind: DocumentKind, place: Place) -> Table:
    """The items under ``header``."""
    body = _body(rows, header, kind)
    table = Table(ended=header.row + 1 + len(body))
    for block, lines in zip(header.blocks, _lines(body, header.blocks), strict=True):
        table.columns += [name for name in block.names if name not in table.columns]
        _add(table, _joined(lines, block), block, place)
    return table


def _body(rows: Sequence[Row], header: Header, kind: DocumentKind) -> list[Row]:
    body: list[Row] = []
    for row in rows[header.row + 1 :]:
        if is_foot(row, kind):
            break
        if len(body) >= 2 and middle(row) - middle(body[-1]) > _FAR * _pitch(body):
            break
        body.append(row)
    return body


def _pitch(body: Sequence[Row]) -> float:
    steps = [middle(b) - middle(a) for a, b in pairwise(body)]
    height = median(part.height for row in body for part in row)
    return max(median(steps), 1.3 * height)


def _lines(body: Sequence[Row], blocks: Sequence[Block]) -> list[list[_Line]]:
    """The rows of each block, dealt twice: the second time with the edges of columns known."""
    columns = [column for block in blocks for column in block.columns]
    dealt = [deal(row, columns) for row in body]
    if part_pairs(blocks, dealt):
        columns = [column for block in blocks for column in block.columns]
        dealt = [deal(row, columns) for row in body]
    settle(columns, dealt)
    lines: list[list[_Line]] = [[] for _ in blocks]
    for row in body:
        pieces = iter(deal(row, columns))
        for block, found in zip(blocks, lines, strict=True):
            cells = {column.name: next(pieces) for column in block.columns}
            cells = {name: parts for name, parts in cells.items() if parts}
            if cells:
                every = [part for parts in cells.values() for part in parts]
                y = sum(part.middle for part in every) / len(every)
                found.append(_Line(cells, y, max(part.height for part in every)))
    return lines


def _figures(cells: Cells) -> bool:
    return any(
        any(c.isdigit() for part in cells[name] for c in part.text)
        for name in _FIGURES
        if name in cells
    )


def _joined(lines: Sequence[_Line], block: Block) -> list[_Line]:
    """Lines that hold no more than a name go to the row that they are a part of.

    A wrapped name stands nearer to its row than the next row does, or follows a name that fills
    its column.  Any other line without figures is a row whose figures were not read.
    """
    full = [line for line in lines if not _WRAPPED.issuperset(line.cells) or _figures(line.cells)]
    if not full:
        return []
    steps = [b.y - a.y for a, b in pairwise(full)]
    pitch = median(steps) if steps else 2 * full[0].height
    named = sum("name" in line.cells for line in full) > len(full) / 2
    for line in lines:
        if any(line is one for one in full):
            continue
        home = _home(line, full, block, max(pitch, 1.2 * line.height), named=named)
        if home is None:
            continue
        for name, parts in line.cells.items():
            home.cells.setdefault(name, []).extend(parts)
            home.cells[name].sort(
                key=lambda part: (round(part.middle / (0.5 * part.height)), part.left)
            )
    return full


def _home(
    line: _Line, full: Sequence[_Line], block: Block, pitch: float, *, named: bool
) -> _Line | None:
    below = [one for one in full if one.y > line.y]
    if below and not named:
        # Slips of narrow printers: the name stands on a line of its own, its figures below it.
        return below[0] if below[0].y - line.y < pitch else None
    nearest = min(full, key=lambda one: abs(one.y - line.y))
    if abs(nearest.y - line.y) < _NEARER * pitch:
        return nearest
    above = [one for one in full if one.y < line.y]
    name = next(column for column in block.columns if column.name == "name")
    if above and line.y - above[-1].y < 1.3 * pitch and "name" in above[-1].cells:
        last = max(part.right for part in above[-1].cells["name"])
        if last > name.high - 2 * line.height:
            return above[-1]
    return None


def _add(table: Table, lines: Sequence[_Line], block: Block, place: Place) -> None:
    looks = {column.name: column.looks for column in block.columns}
    for line in lines:
        name = folded("".join(part.text for part in line.cells.get("name", ())))
        every = folded("".join(p.text for parts in line.cells.values() for p in parts))
        cells = {
            key: item_cell(key, parts, looks[key], place)
            for key, parts in line.cells.items()
            if looks[key] != "number" or _has_figure(parts)
        }
        _part_unit(cells)
        _part_product(cells)
        amount = cells.get("amount")
        if _SUBTOTAL.search(name) or _SUBTOTAL.search(every[:12]):
            if amount is not None:
                table.subtotals.append((len(table.items), amount))
        elif TOTAL.match(name) or TOTAL.match(every):
            table.total = amount or table.total
        elif cells:
            table.items.append(dict(cells))


def _has_figure(parts: Sequence[Fragment]) -> bool:
    """Whether there is any figure; letters of a seal fall into columns of numbers, too."""
    return any(
        character.isdigit() or may_be_figure(part) for part in parts for character in part.text
    )


def _part_unit(cells: dict[str, Cell]) -> None:
    """3盒 in the column of units, where the count stands right beside it and is missing."""
    unit = cells.get("unit")
    found = _COUNTED.fullmatch(unit.value) if unit is not None else None
    if unit is None or found is None:
        return
    cells["unit"] = unit.model_copy(update={"value": found[2]})
    if "quantity" not in cells:
        cells["quantity"] = unit.model_copy(update={"value": found[1]})


def _part_product(cells: dict[str, Cell]) -> None:
    """75.00×2 in one column: price and count, the count being the whole number."""
    both = cells.pop("price_and_quantity", None)
    if both is None:
        return
    found = _PRODUCT.search(both.value)
    if found is None:
        cells["unit_price"] = both.model_copy(update={"doubt": UNREADABLE})
        return
    first, second = found.groups()
    if "." in second and "." not in first:
        first, second = second, first
    cells["unit_price"] = _number_cell(both, first, "unit_price")
    cells["quantity"] = _number_cell(both, second, "quantity")


def _number_cell(cell: Cell, text: str, name: str) -> Cell:
    number = decimal_of(text)
    if number is None:
        return cell.model_copy(update={"value": text, "doubt": UNREADABLE})
    value = plain(number) if name == "quantity" else money(number)
    return cell.model_copy(update={"value": value})


def tidy(text: str, looks: str) -> str:
    """Without what a reader of pages takes for something else where only one thing can stand:
    10m1 is 10ml, 5g°9袋 and 5g9袋 are 5g*9袋, IIIII is III, 109/L is 10^9/L (`tidy_unit`)."""
    if looks == "text":
        text = _STROKES.sub("III", _LITRES.sub("ml", text))
        return _LOST_SIGN.sub("*", _TIMES.sub("*", text))
    return tidy_unit(text) if looks == "unit" else text


def item_cell(name: str, parts: Sequence[Fragment], looks: str, place: Place) -> Cell:
    """One cell of the column ``name``."""
    # Alone, it may be the result: 1 that was also read as an arrow.
    behind = [_arrow(part) if looks == "result" else part.text for part in parts[1:]]
    text = "".join((*(part.text for part in parts[:1]), *behind))
    value, doubt = tidy(folded(text).strip(_EDGES), looks), ""
    readings: list[str] = []
    if looks == "number":
        written = money if name not in ("quantity", "number") else plain
        value = _number_text(text)
        number = decimal_of(value)
        if number is None:
            doubt = UNREADABLE
        else:
            value = written(number)
            doubt = NO_POINT if written is money and "." not in text else ""
        readings = [
            written(number)
            for other in (text, *other_texts(parts))
            for number in meanings(_number_text(other), money=written is money)
        ]
    corrected = False
    if looks in ("flag", "unit", "range") and begins_with_arrow(value, looks):
        readings = [ARROWS[other[0]] for other in other_texts(parts) if other[:1] in ARROWS]
    if looks == "range" and (meant := meant_range(value, other_texts(parts))) != value:
        value, corrected, doubt = meant, True, READ_OTHERWISE.format(text)
    if single := only_of(_SINGLE.get(looks, ""), value, other_texts(parts)):
        value, corrected = single, True
    return Cell(
        value=value,
        text=text,
        box=box_of(parts, place.to_original),
        page=place.page,
        confidence=min(1.0, max(0.0, min(part.confidence for part in parts))),
        doubt=doubt,
        corrected=corrected,
        readings=[other for other in dict.fromkeys(readings) if other != value],
    )


def _arrow(part: Fragment) -> str:
    """A lone character behind a result, as the arrow that it was read as, too."""
    arrows = [other for other in part.line.others if other in ("↑", "↓")]
    return arrows[0] if arrows and len(part.text) == len(part.line.text) == 1 else part.text


def _number_text(text: str) -> str:
    """A number without what surrounds it; the class of the insurer stands close behind amounts."""
    return _CLASS.sub("", folded(text).strip(_EDGES)).removeprefix("¥")
