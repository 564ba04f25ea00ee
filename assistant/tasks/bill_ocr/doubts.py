"""What a person should look at: cells of failed checks, and figures that nothing proves."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.tasks.bill_ocr.document import BillDocument, Cell
from assistant.tasks.bill_ocr.values import LOST_COMMA, NO_POINT

LOW = 0.85
"""A cell read with less confidence is doubted whatever it is."""
UNPROVEN = 0.97
"""An amount that no check proves must be read with this confidence."""
AMOUNT_FIELDS = frozenset(
    [
        "total",
        "total_in_words",
        "fund_paid",
        "account_paid",
        "self_paid",
        "own_expense",
        "cash_paid",
        "other_paid",
        "deposit",
        "refund",
        "top_up",
    ]
)
AMOUNT_COLUMNS = frozenset({"quantity", "unit_price", "amount", "value"})
_SETTLED = frozenset({NO_POINT, LOST_COMMA})
"""Doubts that a check takes away."""
PROVING = frozenset(
    [
        "quantity_price",
        "subtotals",
        "items_total",
        "total_words",
        "funds",
        "patient_share",
        "deposit",
        "qr_total",
    ]
)


def cells(document: BillDocument) -> Iterator[tuple[str, Cell]]:
    """Each cell with its path."""
    for name, cell in document.fields.items():
        yield f"fields.{name}", cell
    for row, item in enumerate(document.items):
        for name, cell in item.items():
            yield f"items.{row}.{name}", cell


def is_amount(path: str) -> bool:
    """Whether the cell is of money, a count or a result."""
    where, *_, name = path.split(".")
    return name in (AMOUNT_FIELDS if where == "fields" else AMOUNT_COLUMNS)


def mark(document: BillDocument) -> None:
    """Write into each cell why it is doubted; what a check said comes first."""
    failed: dict[str, str] = {}
    proved: set[str] = set()
    for check in document.checks:
        for path in check.concerns:
            if check.passed and check.name in PROVING:
                proved.add(path)
            elif not check.passed:
                failed.setdefault(path, check.message)
    for path, cell in cells(document):
        # What two other checks prove is not what made a third one fail.
        reason = failed.get(path, "")
        if reason:
            cell.doubt = reason
        elif not cell.doubt or (path in proved and cell.doubt in _SETTLED):
            cell.doubt = _doubt(path, cell, path in proved)


def _doubt(path: str, cell: Cell, proved: bool) -> str:
    if cell.confidence < LOW and not (proved and is_amount(path)):
        return "识别把握不足"
    if is_amount(path) and not proved and cell.confidence < UNPROVEN:
        return "无从核对，识别把握不足"
    return ""
