"""A reading as a bill that people work on: kept with its lines, and with what it is found by."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import BaseModel, Field

from assistant.store.bills import Filed
from assistant.tasks.bill_ocr.checks import Second, run_checks
from assistant.tasks.bill_ocr.document import BillDocument, DocumentKind
from assistant.tasks.bill_ocr.doubts import mark
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.laboratory import tell_flags
from assistant.tasks.bill_ocr.layout import Layout, is_of, label_words, remembered
from assistant.tasks.bill_ocr.page_line import PageLine

_NUMBERS = ("invoice_number", "prescription_number", "sample_number", "inpatient_number")
_DAYS = ("date", "discharged_on", "reported_at", "received_at", "sampled_at")
_MOST_CENTS = 10**15

Annotate = Callable[[BillDocument], BillDocument]


class BillContent(BaseModel):
    """What is kept of a bill."""

    document: BillDocument
    lines: list[PageLine] = Field(default_factory=list)
    attachments: list[str] = Field(default_factory=list)
    file: str = ""


class KnownLayout(BaseModel):
    """A layout with the signature that it is kept under."""

    signature: str
    layout: Layout


def unchanged(document: BillDocument) -> BillDocument:
    """Without a catalogue."""
    return document


def from_reading(
    reading: BillReading,
    layouts: Callable[[str], list[KnownLayout]],
    annotate: Annotate = unchanged,
) -> tuple[BillContent, str]:
    """What was read, corrected by what its layout has taught, with the catalogue's codes; and the
    signature of that layout, "" where it is new."""
    document = reading.document.model_copy(deep=True)
    known = layout_of(document, reading.lines, layouts(document.kind.value))
    if known is not None and remembered(document, known.layout, reading.lines):
        recheck(document)
    content = BillContent(
        document=annotate(document),
        lines=reading.lines,
        attachments=reading.attachments,
        file=reading.file,
    )
    return content, "" if known is None else known.signature


def layout_of(
    document: BillDocument, lines: list[PageLine], known: list[KnownLayout]
) -> KnownLayout | None:
    """The layout of a page among those that are known; one of its own hospital first."""
    labels, hospital = label_words(lines), hospital_of(document)
    fitting = [one for one in known if is_of(one.layout, hospital, labels)]
    fitting.sort(key=lambda one: one.layout.hospital != hospital)
    return fitting[0] if fitting else None


def hospital_of(document: BillDocument) -> str:
    """The hospital that the page names."""
    cell = document.fields.get("hospital")
    return "" if cell is None else cell.value


def recheck(document: BillDocument) -> None:
    """Check a document anew after its cells have changed.

    What cannot be checked without the page (its codes, its subtotals) stays as it was told.
    """
    if document.kind is DocumentKind.UNKNOWN:
        return
    # A flag that the range told follows what a person has changed; none is added behind his back.
    tell_flags([item for item in document.items if "flag" in item])
    before = {check.message for check in document.checks if not check.passed and check.message}
    made = run_checks(document, Second())
    names = {check.name for check in made}
    document.checks = [c for c in document.checks if c.name not in names] + made
    cells = [*document.fields.values(), *(c for item in document.items for c in item.values())]
    for cell in cells:
        if cell.doubt in before:
            cell.doubt = ""
    mark(document)


def filed(content: BillContent, layout: str) -> Filed:
    """The row of the archive."""
    document = content.document
    names = [item["name"].value for item in document.items if "name" in item]
    words = [line.text for line in content.lines]
    words += [cell.value for cell in document.fields.values()]
    words += [cell.value for item in document.items for cell in item.values()]
    return Filed(
        content=content.model_dump(mode="json"),
        kind=document.kind.value,
        hospital=hospital_of(document),
        number=_first(document, _NUMBERS),
        issued_on=_first(document, _DAYS)[:10],
        total_cents=_cents(_first(document, ("total",))),
        items="\n".join(names),
        words="\n".join(dict.fromkeys(words)),
        layout=layout,
    )


def kept(row_content: dict[str, Any]) -> BillContent:
    """What a row of the archive holds."""
    return BillContent.model_validate(row_content)


def _first(document: BillDocument, names: tuple[str, ...]) -> str:
    return next((document.fields[n].value for n in names if n in document.fields), "")


def _cents(text: str) -> int | None:
    try:
        cents = Decimal(text.replace(",", "")) * 100
        return int(cents) if abs(cents) < _MOST_CENTS else None
    except (InvalidOperation, ValueError):
        return None
