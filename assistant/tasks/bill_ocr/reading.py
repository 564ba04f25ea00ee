"""Pages to documents: kind, fields, items, checks, doubts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from assistant.tasks.bill_ocr.checks import Second, run_checks
from assistant.tasks.bill_ocr.document import BillDocument, Cell, Check, DocumentKind, Item
from assistant.tasks.bill_ocr.doubts import mark
from assistant.tasks.bill_ocr.fields import Place, fields_in, unread_in
from assistant.tasks.bill_ocr.fragment import box_of, fragments
from assistant.tasks.bill_ocr.header import find_header
from assistant.tasks.bill_ocr.kind import kind_by_content, kind_by_title
from assistant.tasks.bill_ocr.laboratory import tell_flags, tidy
from assistant.tasks.bill_ocr.loose import loose_amounts
from assistant.tasks.bill_ocr.mending import mend
from assistant.tasks.bill_ocr.page import ReadPage
from assistant.tasks.bill_ocr.prescription import listed_drugs
from assistant.tasks.bill_ocr.qr import bill_of
from assistant.tasks.bill_ocr.rows import Row, rows
from assistant.tasks.bill_ocr.table import Table, read_table
from assistant.tasks.bill_ocr.titles import day_in, hospital_in, trimmed

_DATED = frozenset({
    DocumentKind.OUTPATIENT_INVOICE, DocumentKind.INPATIENT_INVOICE, DocumentKind.ITEMISED_LIST,
    DocumentKind.PRESCRIPTION,
})  # fmt: skip
OTHER_PATIENT = "票据上的姓名与当前患者不符，请核对。(The bill is of another patient.)"


@dataclass(slots=True)
class _Content:
    """What one page says, before it is checked."""

    kind: DocumentKind
    titled: bool
    fields: dict[str, Cell]
    items: list[Item]
    second: Second = field(default_factory=Second)
    unread: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def read_pages(pages: Sequence[ReadPage], *, patient: str = "") -> list[BillDocument]:
    """The documents of ``pages``, in their order.

    A page without a title that goes on with the items before it belongs to the same document.
    ``patient`` is who the context says it is, if anybody.
    """
    groups: list[list[tuple[int, _Content]]] = []
    for page in pages:
        content = read_page(page)
        # Two sheets on one photo are two documents.
        another = bool(groups) and groups[-1][-1][0] != page.number
        if another and _goes_on(groups[-1][-1][1], content):
            groups[-1].append((page.number, content))
        else:
            groups.append([(page.number, content)])
    return [_document(group, patient) for group in groups]


def _goes_on(before: _Content, content: _Content) -> bool:
    if before.kind in (DocumentKind.UNKNOWN, DocumentKind.DISCHARGE_RECORD) or not content.items:
        return False
    if content.titled and content.kind is not before.kind:
        return False
    shared = [
        name
        for name in ("inpatient_number", "invoice_number", "sample_number", "patient")
        if name in before.fields and name in content.fields
    ]
    same = all(before.fields[name].value == content.fields[name].value for name in shared)
    return same and "total" not in before.fields and (bool(shared) or not content.titled)


def read_page(page: ReadPage) -> _Content:
    """Kind, fields and items of one page."""
    place = Place(page.number, page.to_original)
    found = rows(fragments(page.lines))
    titled, invoice = kind_by_title(found)
    guess = titled or DocumentKind.UNKNOWN
    tables, outside = _tables(found, guess, place)
    fields = fields_in(outside, guess, place)
    if tables and tables[-1].total is not None:
        fields.setdefault("total", tables[-1].total)
    columns = [name for table in tables for name in table.columns]
    kind = titled or kind_by_content(fields, columns, invoice)
    if kind is not guess:
        # Some labels are of one kind of document only.
        fields = fields_in(outside, kind, place) | fields
    if kind is DocumentKind.UNKNOWN:
        return _Content(kind, False, {}, [], warnings=list(page.warnings))
    if "hospital" not in fields and (name := hospital_in(found)) is not None:
        fields["hospital"] = Cell(
            value=name[0], text=name[0], box=box_of(name[1], page.to_original), page=page.number,
            confidence=min(part.confidence for part in name[1]),
        )  # fmt: skip
    if "date" not in fields and kind in _DATED and (day := day_in(found, place)) is not None:
        fields["date"] = day
    if "hospital" in fields:
        fields["hospital"].value = trimmed(fields["hospital"].value)
    items = [item for table in tables for item in table.items]
    if kind is DocumentKind.PRESCRIPTION and not items:
        items = listed_drugs(found, place)
    if kind is DocumentKind.LABORATORY_SHEET:
        items = [tidy(item) for item in items if "name" in item or "code" in item]
        if "flag" in columns or any("flag" in item for item in items):
            tell_flags(items)
    subtotals = [pair for table in tables for pair in table.subtotals]
    codes = [said for text in page.codes if (said := bill_of(text)) is not None]
    loose = list(loose_amounts(outside, fields, place))
    second = Second(subtotals, codes[0] if codes else {}, loose)
    unread = unread_in(outside, kind, fields)
    return _Content(kind, titled is not None, fields, items, second, unread, list(page.warnings))


def _tables(
    found: Sequence[Row], kind: DocumentKind, place: Place
) -> tuple[list[Table], list[Row]]:
    """The tables of a page, and the rows that belong to none."""
    tables: list[Table] = []
    outside: list[Row] = []
    at = 0
    while (header := find_header(found, at)) is not None:
        table = read_table(found, header, kind, place)
        outside += found[at : header.row]
        at = max(table.ended, header.row + 1)
        tables.append(table)
    return tables, [*outside, *found[at:]]


def _document(group: Sequence[tuple[int, _Content]], patient: str) -> BillDocument:
    first = group[0][1]
    document = BillDocument(kind=first.kind, pages=[number for number, _ in group])
    second = Second()
    for _, content in group:
        for name, cell in content.fields.items():
            if name in ("total", "total_in_words"):
                document.fields[name] = cell
            else:
                document.fields.setdefault(name, cell)
        shift = len(document.items)
        second.subtotals += [(shift + count, cell) for count, cell in content.second.subtotals]
        second.code = second.code or content.second.code
        second.loose += content.second.loose
        document.items += content.items
        document.warnings += [w for w in content.warnings if w not in document.warnings]
    if document.kind is DocumentKind.UNKNOWN:
        document.warnings.append("无法识别这是哪种单据。(The kind of document is not known.)")
        return document
    mend(document, second)
    document.checks = run_checks(document, second)
    unread = {name for _, content in group for name in content.unread} - document.fields.keys()
    if unread:
        document.checks.append(_unread(sorted(unread)))
    printed = document.fields.get("patient")
    if patient and printed is not None and printed.value != patient:
        document.warnings.append(OTHER_PATIENT)
        document.checks.append(_other(patient))
    mark(document)
    return document


def _unread(names: Sequence[str]) -> Check:
    return Check(
        name="unread",
        passed=False,
        concerns=[f"fields.{name}" for name in names],
        message="有标签而未读出金额",
    )


def _other(patient: str) -> Check:
    return Check(
        name="patient",
        passed=False,
        concerns=["fields.patient"],
        message=OTHER_PATIENT,
        suggestion=f"当前患者为 {patient}",
    )
