"""Figures put right by arithmetic, out of what was read at their places.

A figure is changed only for one that a reading of its place gave, and only where that one alone
makes its row or the sums of the bill come out; the cell then says so, and a person is shown it.
A count that was not read is the exception: amount and price tell it, and it is doubted.
"""

from __future__ import annotations

from decimal import Decimal

from assistant.tasks.bill_ocr.checks import Second, of_item
from assistant.tasks.bill_ocr.document import BillDocument, Cell
from assistant.tasks.bill_ocr.reckoning import Meaning, chosen, meanings_of, readings
from assistant.tasks.bill_ocr.sums import find_lacking, mend_sums, otherwise
from assistant.tasks.bill_ocr.values import decimal_of, money
from knowledge.text.number import plain

TOLD = "未读出，按金额÷单价推得"
PARTED = "数量与单价连在一起，已按金额拆开，原读作 {}"
NO_QUANTITY = "没有读出数量，单价与金额不符"


def mend(document: BillDocument, second: Second) -> None:
    """Change what arithmetic shows to be misread, in place."""
    _part_prices(document)
    _mend_items(document, second)
    _add_quantities(document)
    mend_sums(document)
    find_lacking(document, second.loose)


def _mend_items(document: BillDocument, second: Second) -> None:
    """The rows of each subtotal, then all rows with the total; what no sum tells, rows alone."""
    counted = any("quantity" in item for item in document.items)
    rows = [meanings_of(item, counted=counted) for item in document.items]
    begin = 0
    for end, cell in second.subtotals:
        printed = {value: int(number > 0) for number, value in enumerate(readings(cell))}
        if (found := chosen(rows[begin:end], printed)) is not None:
            rows[begin:end] = [[meaning] for meaning in found[0]]
            cell.value = money(found[1])
        begin = end
    if (found := chosen(rows, _totals(document, second))) is not None:
        rows = [[meaning] for meaning in found[0]]
        _mend_total(document, found[1])
    for item, meanings in zip(document.items, rows, strict=True):
        least = [one for one in meanings if one.cost == meanings[0].cost]
        if len(least) == 1:
            _change(item, least[0])


def _totals(document: BillDocument, second: Second) -> dict[Decimal, int]:
    """What the total may be, with 1 for what was not read first in figures."""
    others = readings(document.fields.get("total_in_words"))[:1]
    others += [value for value in [decimal_of(second.code.get("total", ""))] if value is not None]
    said = [*readings(document.fields.get("total")), *others]
    return {value: int(number > 0) for number, value in reversed(list(enumerate(said)))}


def _mend_total(document: BillDocument, total: Decimal) -> None:
    cell = document.fields.get("total")
    if cell is not None and decimal_of(cell.value) != total:
        document.fields["total"] = otherwise(cell, money(total))


def _change(item: dict[str, Cell], meaning: Meaning) -> None:
    for name, number in meaning.changes.items():
        value = plain(number) if name == "quantity" else money(number)
        item[name] = otherwise(item[name], value)


def _add_quantities(document: BillDocument) -> None:
    """A lone figure is easily overlooked: where a count is missing or no number, price and amount
    tell it."""
    if not any("quantity" in item for item in document.items):
        return
    for row, item in enumerate(document.items):
        count, price, amount = (
            of_item(document, row, name) for name in ("quantity", "unit_price", "amount")
        )
        if count is not None or not price or not amount or amount % price:
            continue
        before = item.get("quantity") or Cell(value="", page=item["amount"].page, confidence=0.5)
        told = {"value": plain(amount / price), "corrected": True, "doubt": TOLD}
        item["quantity"] = before.model_copy(update=told)


def _part_prices(document: BillDocument) -> None:
    """Where the head of the column of counts was lost, counts stand before the prices: 2145.00 is
    2 and 145.00 if the amount is 290.00.  A price that says nothing of its amount is doubted."""
    if any("quantity" in item for item in document.items):
        return
    for row, item in enumerate(document.items):
        price, amount = of_item(document, row, "unit_price"), of_item(document, row, "amount")
        if price is None or amount is None or price == amount:
            continue
        cell = item["unit_price"]
        if (parts := _parts(cell.value, amount)) is None:
            if not price or amount % price:
                cell.doubt = cell.doubt or NO_QUANTITY
            continue
        mark = {"corrected": True, "doubt": PARTED.format(cell.text)}
        item["quantity"] = cell.model_copy(update={"value": parts[0], **mark})
        item["unit_price"] = cell.model_copy(update={"value": parts[1], **mark})


def _parts(text: str, amount: Decimal) -> tuple[str, str] | None:
    """(count, price) that ``text`` is run together from; None where it is not clear."""
    found = []
    for at in range(1, text.find(".")):
        count, price = Decimal(text[:at]), text[at:]
        if price[0] != "0" or price.startswith("0."):
            found += [(plain(count), price)] if count * Decimal(price) == amount else []
    return found[0] if len(found) == 1 else None
