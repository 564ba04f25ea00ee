"""The same bill twice: by its number, by its picture, by its items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assistant.tasks.bill_ocr.document import BillDocument, Check, DocumentKind
from assistant.tasks.bill_ocr.likeness import NEAR, apart

_ITEMS = 3
_INVOICES = frozenset({DocumentKind.OUTPATIENT_INVOICE, DocumentKind.INPATIENT_INVOICE})


class Seen:
    """The bills of a run so far."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], str] = {}
        self._items: dict[tuple[str, ...], str] = {}
        self._pictures: list[tuple[str, str]] = []

    def add(self, name: str, document: BillDocument, likeness: Sequence[str]) -> list[Check]:
        """Compare a bill with those before it, and remember it under the name of its file."""
        return list(self._compare(name, document, likeness))

    def _compare(
        self, name: str, document: BillDocument, likeness: Sequence[str]
    ) -> Iterator[Check]:
        number = document.fields.get("invoice_number")
        if number is not None and document.kind in _INVOICES:
            code = document.fields.get("invoice_code")
            key = (code.value if code else "", number.value)
            before = self._numbers.setdefault(key, name)
            if before != name:
                yield _check(
                    "duplicate_number", ["fields.invoice_number"], f"票据号码与 {before} 相同"
                )
        rows = _rows(document)
        if len(rows) >= _ITEMS:
            before = self._items.setdefault(rows, name)
            if before != name:
                yield _check("duplicate_items", [], f"患者与全部明细与 {before} 相同")
        for picture in likeness:
            near = [n for n, other in self._pictures if n != name and apart(picture, other) <= NEAR]
            if near:
                yield _check("duplicate_picture", [], f"图像与 {near[0]} 几乎相同")
        self._pictures += [(name, picture) for picture in likeness]


def _rows(document: BillDocument) -> tuple[str, ...]:
    patient = document.fields.get("patient")
    day = document.fields.get("date")
    rows = [
        "|".join(item[key].value for key in ("name", "quantity", "amount", "value") if key in item)
        for item in document.items
    ]
    if len(rows) < _ITEMS:
        return ()
    head = [cell.value if cell else "" for cell in (patient, day)]
    return (*head, *sorted(rows))


def _check(name: str, concerns: list[str], message: str) -> Check:
    return Check(
        name=name, passed=False, concerns=concerns, message=message,
        suggestion="请核对是否重复报销。",
    )  # fmt: skip
