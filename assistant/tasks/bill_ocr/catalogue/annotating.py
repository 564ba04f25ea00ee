"""A bill's items with what the catalogue says of them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

from assistant.tasks.bill_ocr.catalogue.entry import Entry, Match, Written
from assistant.tasks.bill_ocr.catalogue.matching import NOTHING, Memory, match
from assistant.tasks.bill_ocr.catalogue.search import Catalogue
from assistant.tasks.bill_ocr.document import BillDocument, Cell, Check, DocumentKind, Item

CODE = "catalogue_code"
NAME = "catalogue_name"
LIMIT = "limit_price"
CHECK = "limit_price"
_FROM_ENTRY = {
    NAME: "name",
    "class": "category",
    LIMIT: "limit_price",
    "self_paid_share": "self_paid_share",
}
_PRINTED = frozenset({"class", "self_paid_share"})
_NOT_BILLS = frozenset(
    {DocumentKind.LABORATORY_SHEET, DocumentKind.DISCHARGE_RECORD, DocumentKind.UNKNOWN}
)


def annotate(
    document: BillDocument, catalogue: Catalogue, memory: Memory = NOTHING
) -> BillDocument:
    """A copy whose items have the cells ``catalogue_code``, ``catalogue_name``, ``limit_price``,
    and ``class`` and ``self_paid_share`` where the page has none.

    An item without a sure match has an empty ``catalogue_code`` whose ``doubt`` says why.  What a
    person chose stays.  A unit price above the limit fails the check ``limit_price``.
    """
    made = document.model_copy(deep=True)
    if made.kind in _NOT_BILLS:
        return made
    for item in made.items:
        if "name" in item and not _chosen(item):
            _fill(item, match(catalogue, written(item), memory))
    made.checks = [check for check in made.checks if check.name != CHECK] + _limits(made)
    return made


def written(item: Item) -> Written:
    """What an item says of itself."""
    return Written(
        name=item["name"].value,
        specification=item["specification"].value if "specification" in item else "",
    )


def apply_entry(item: Item, entry: Entry, *, confidence: float, corrected: bool) -> None:
    """Write what ``entry`` says into the item."""
    name = item["name"]
    item[CODE] = Cell(
        value=entry.code, box=name.box, page=name.page, confidence=confidence, corrected=corrected
    )
    for column, field in _FROM_ENTRY.items():
        value = getattr(entry, field)
        printed = column in _PRINTED and column in item and item[column].text
        if value and not printed:
            item[column] = Cell(value=value, box=name.box, page=name.page, confidence=confidence)


def _chosen(item: Item) -> bool:
    return CODE in item and item[CODE].corrected


def _fill(item: Item, found: Match) -> None:
    for column in (CODE, NAME, LIMIT, *_PRINTED):
        if column in item and not item[column].text:
            del item[column]
    if found.entry is not None:
        apply_entry(item, found.entry, confidence=found.confidence, corrected=False)
        return
    name = item["name"]
    item[CODE] = Cell(value="", box=name.box, page=name.page, confidence=0.0, doubt=found.message)


def _limits(document: BillDocument) -> list[Check]:
    found = []
    for number, item in enumerate(document.items):
        limit, price = _number(item, LIMIT), _number(item, "unit_price")
        if limit is None or price is None:
            continue
        path = f"items.{number}.unit_price"
        over = price > limit
        found.append(
            Check(
                name=CHECK,
                passed=not over,
                concerns=[path],
                message=f"单价 {price} 高于目录限价 {limit}。(Above the limit.)" if over else "",
            )
        )
    return found


def _number(item: Item, column: str) -> Decimal | None:
    try:
        return Decimal(item[column].value.replace(",", "")) if column in item else None
    except InvalidOperation:
        return None
