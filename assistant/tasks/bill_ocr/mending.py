"""Figures that were misread, put right where two independent checks prove how.

OCR takes figures for their likes and loses points.  A figure is changed only when the changed one
is a likely reading of what was read, agrees with its row, and makes the sum of the items agree
with the printed total; the cell then says that it was corrected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

from assistant.tasks.bill_ocr.checks import Rule, Second, check_rules, number_at, of_item
from assistant.tasks.bill_ocr.document import BillDocument, Cell
from assistant.tasks.bill_ocr.labels import folded
from assistant.tasks.bill_ocr.values import decimal_of, money
from knowledge.text.number import plain

LIKES = ("0OoDQ", "1lI|7", "2Zz", "3895", "5S6", "6b0G5", "8B30", "9g4q", "7T1", "4A9")
_CENT = Decimal("0.01")
_MOST = 6
TOLD = "未读出，按金额÷单价推得"
PARTED = "数量与单价连在一起，已按金额拆开，原读作 {}"
NO_QUANTITY = "没有读出数量，单价与金额不符"
MENDED = "已按核对结果更正，原读作 {}"


@dataclass(frozen=True, slots=True)
class _Option:
    row: int
    column: str
    value: Decimal
    amount: Decimal


def likely(read: str, right: str) -> bool:
    """Whether ``right`` may have been read as ``read``: one like figure, or a lost point."""
    a, b = folded(read).lstrip("¥").replace(",", ""), right
    if a == b:
        return True
    if a == b.replace(".", "") or a.replace(".", "") == b.replace(".", ""):
        return True
    if len(a) != len(b):
        # A figure was lost or doubled.
        short, long = sorted((a, b), key=len)
        return len(long) - len(short) == 1 and any(
            long[:i] + long[i + 1 :] == short for i in range(len(long))
        )
    wrong = [(x, y) for x, y in zip(a, b, strict=True) if x != y]
    return len(wrong) == 1 and any(set(wrong[0]) <= set(like) for like in LIKES)


def mend(document: BillDocument, second: Second) -> None:
    """Change what is proved to be misread, in place."""
    _part_prices(document)
    _add_quantities(document)
    _mend_fields(document)
    total = _proved_total(document, second)
    if total is None:
        return
    broken = [row for row in range(len(document.items)) if not _agrees(document, row)]
    if not broken or len(broken) > _MOST:
        return
    rest = sum(
        (of_item(document, row, "amount") or Decimal(0)
         for row in range(len(document.items)) if row not in broken),
        Decimal(0),
    )  # fmt: skip
    options = [list(_options(document, row)) for row in broken]
    fitting = [
        chosen
        for chosen in product(*options)
        if rest + sum((one.amount for one in chosen), Decimal(0)) == total
    ]
    if len(fitting) == 1:
        for one in fitting[0]:
            _change(document.items[one.row], one)


def _mend_fields(document: BillDocument) -> None:
    """A sum in the fields that fails, put right by the one change that every sum agrees with."""
    rules = [rule for rule in check_rules() if rule["how"] in ("sum", "equal")]
    named = {rule["name"]: _named(rule) for rule in rules}
    failing = [rule for rule in rules if _holds(rule, document) is False]
    options: dict[tuple[str, str], Cell] = {}
    for rule in failing:
        for name in named[rule["name"]]:
            value = _missing(rule, document, name)
            cell = document.fields[name]
            if value is None or value < 0 or not likely(cell.text, money(value)):
                continue
            changed = cell.model_copy(
                update={"value": money(value), "corrected": True, "doubt": MENDED.format(cell.text)}
            )
            trial = document.model_copy(update={"fields": {**document.fields, name: changed}})
            about = [other for other in rules if name in named[other["name"]]]
            held = [_holds(other, trial) for other in about]
            # One sum alone cannot tell which of its parts is wrong.
            if held.count(True) >= 2 and False not in held:
                options[name, money(value)] = changed
    if len(options) == 1:
        (((name, _), changed),) = options.items()
        document.fields[name] = changed


def _named(rule: Rule) -> list[str]:
    if rule["how"] == "equal":
        return list(rule["fields"])
    return [*rule["parts"], *rule["whole"]]


def _sides(rule: Rule, document: BillDocument) -> tuple[list[str], list[str]]:
    if rule["how"] == "equal":
        return [rule["fields"][0]], [rule["fields"][1]]
    may = [name for name in rule.get("may", ()) if name in document.fields]
    return [*rule["parts"], *may], list(rule["whole"])


def _holds(rule: Rule, document: BillDocument) -> bool | None:
    """Whether the two sides agree; None where a part is missing."""
    sides = _sides(rule, document)
    if any(name not in document.fields for side in sides for name in side):
        return None
    values = [[number_at(document, name) for name in side] for side in sides]
    if any(value is None for side in values for value in side):
        return False
    left, right = (sum((v for v in side if v is not None), Decimal(0)) for side in values)
    return left == right


def _missing(rule: Rule, document: BillDocument, name: str) -> Decimal | None:
    """What ``name`` would have to be; words are never changed."""
    left, right = _sides(rule, document)
    if name == "total_in_words" or any(n not in document.fields for n in (*left, *right)):
        return None
    mine, other = (left, right) if name in left else (right, left)
    known = [number_at(document, n) for n in mine if n != name]
    whole = [number_at(document, n) for n in other]
    if None in known or None in whole:
        return None
    return sum((v for v in whole if v is not None), Decimal(0)) - sum(
        (v for v in known if v is not None), Decimal(0)
    )


def _add_quantities(document: BillDocument) -> None:
    """A lone figure is easily overlooked: where a count is missing, price and amount tell it."""
    if not any("quantity" in item for item in document.items):
        return
    for row, item in enumerate(document.items):
        price, amount = of_item(document, row, "unit_price"), of_item(document, row, "amount")
        if "quantity" in item or not price or not amount or amount % price:
            continue
        item["quantity"] = Cell(
            value=plain(amount / price), page=item["amount"].page, confidence=0.5,
            corrected=True, doubt=TOLD,
        )  # fmt: skip


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


def _proved_total(document: BillDocument, second: Second) -> Decimal | None:
    """The total, where a second source says the same; the words' or the code's where they do."""
    total, words = number_at(document, "total"), number_at(document, "total_in_words")
    code = decimal_of(second.code.get("total", ""))
    said = [value for value in (total, words, code) if value is not None]
    if len(said) < 2:
        return total
    for value in said:
        if said.count(value) >= 2:
            return value
    return None


def _agrees(document: BillDocument, row: int) -> bool:
    quantity, price, amount = (
        of_item(document, row, name) for name in ("quantity", "unit_price", "amount")
    )
    if amount is None:
        return False
    if "unit_price" not in document.items[row] or "quantity" not in document.items[row]:
        return True
    if quantity is None or price is None:
        return False
    return abs(quantity * price - amount) < _CENT


def _options(document: BillDocument, row: int) -> Iterator[_Option]:
    """The single changes that make a row agree with itself."""
    item = document.items[row]
    quantity, price, amount = (
        of_item(document, row, name) for name in ("quantity", "unit_price", "amount")
    )
    if quantity is not None and price is not None and "amount" in item:
        right = (quantity * price).quantize(_CENT)
        if likely(item["amount"].text, money(right)):
            yield _Option(row, "amount", right, right)
    if amount is None:
        return
    if quantity and "unit_price" in item:
        right = (amount / quantity).quantize(_CENT)
        if right * quantity == amount and likely(item["unit_price"].text, money(right)):
            yield _Option(row, "unit_price", right, amount)
    if price and "quantity" in item and amount % price == 0:
        right = amount / price
        if likely(item["quantity"].text, plain(right)):
            yield _Option(row, "quantity", right, amount)


def _change(item: dict[str, Cell], option: _Option) -> None:
    cell = item[option.column]
    value = plain(option.value) if option.column == "quantity" else money(option.value)
    if cell.value == value:
        return
    item[option.column] = cell.model_copy(
        update={"value": value, "corrected": True, "doubt": MENDED.format(cell.text)}
    )
