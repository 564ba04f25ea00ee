"""What a page is: by the words of its titles, then by the labels and columns that it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from assistant.tasks.bill_ocr.document import DocumentKind
from assistant.tasks.bill_ocr.labels import folded, nearest, table_of
from assistant.tasks.bill_ocr.rows import Row

_INPATIENT = frozenset({"inpatient_number", "admitted_on", "discharged_on", "deposit"})
TITLE_ROWS = 8
_TITLE = 24
"""A title is no wider than so many Chinese characters."""


def kind_by_title(rows: Sequence[Row]) -> tuple[DocumentKind | None, bool]:
    """(the kind, whether it is any invoice); titles are among the first rows."""
    votes: dict[str, float] = defaultdict(float)
    titles = [(kind, float(weight), words.split("|")) for kind, weight, words in
              table_of("kinds.tsv")]  # fmt: skip
    for number, row in enumerate(rows[:TITLE_ROWS]):
        for part in [*(one.text for one in row), "".join(one.text for one in row)]:
            text = folded(part).replace(" ", "").lower()
            for kind, weight, words in titles:
                if (length := _length(text, words)) and _width(text) <= _TITLE:
                    votes[kind] += weight + length / 4 - number / 10
    if not votes:
        return None, False
    best = max(votes, key=lambda kind: votes[kind])
    return (None, True) if best == "invoice" else (DocumentKind(best), False)


def _width(text: str) -> float:
    """In Chinese characters."""
    return sum(0.5 if character.isascii() else 1.0 for character in text)


def _length(text: str, words: Sequence[str]) -> int:
    found = [len(word) for word in words if word.lower() in text]
    if not found and len(text) < 20:
        found = [len(word) - 1 for word in words if len(word) >= 4 and nearest(text, [word])]
    return max(found, default=0)


def kind_by_content(
    fields: Collection[str], columns: Collection[str], invoice: bool
) -> DocumentKind:
    """For a page whose title does not say it."""
    have = set(fields)
    if {"value", "range"} <= set(columns):
        return DocumentKind.LABORATORY_SHEET
    if "prescription_number" in have:
        return DocumentKind.PRESCRIPTION
    inpatient = bool(have & _INPATIENT)
    if invoice or ("invoice_number" in have and "total" in have):
        return DocumentKind.INPATIENT_INVOICE if inpatient else DocumentKind.OUTPATIENT_INVOICE
    if {"discharge_diagnosis", "admission_diagnosis"} <= have:
        return DocumentKind.DISCHARGE_RECORD
    if "total" in have and len(have & {"fund_paid", "account_paid", "cash_paid"}) >= 2:
        return DocumentKind.SETTLEMENT_SHEET
    if {"name", "amount"} <= set(columns):
        return DocumentKind.ITEMISED_LIST
    return DocumentKind.UNKNOWN
