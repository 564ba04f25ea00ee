"""The same bill twice in one folder."""

from __future__ import annotations

import numpy as np

from assistant.tasks.bill_ocr.document import BillDocument, Cell, DocumentKind
from assistant.tasks.bill_ocr.duplicates import Seen
from assistant.tasks.bill_ocr.likeness import NEAR, apart, likeness


def bill(number: str, *amounts: str) -> BillDocument:
    items = [{"name": Cell(value=f"项目{a}"), "amount": Cell(value=a)} for a in amounts]
    fields = {"invoice_number": Cell(value=number), "patient": Cell(value="张三")}
    return BillDocument(kind=DocumentKind.OUTPATIENT_INVOICE, fields=fields, items=items)


def names(seen: Seen, file: str, document: BillDocument, picture: str = "") -> list[str]:
    return [check.name for check in seen.add(file, document, [picture] if picture else [])]


def test_number_items_and_picture() -> None:
    seen = Seen()
    assert names(seen, "a", bill("1001", "1", "2", "3"), "0" * 64) == []
    assert names(seen, "b", bill("1001", "4", "5", "6")) == ["duplicate_number"]
    assert names(seen, "c", bill("1002", "1", "2", "3")) == ["duplicate_items"]
    assert names(seen, "d", bill("1003", "7", "8", "9"), "0" * 63 + "1") == ["duplicate_picture"]
    assert names(seen, "e", bill("1004", "7", "8"), "f" * 64) == []


def test_one_file_is_no_duplicate_of_itself() -> None:
    seen = Seen()
    seen.add("a", bill("1001", "1", "2", "3"), ["0" * 64])
    assert names(seen, "a", bill("1001", "1", "2", "3"), "0" * 64) == []


def test_a_picture_is_like_itself_when_it_is_compressed_and_unlike_another() -> None:
    random = np.random.default_rng(1)
    page = random.integers(0, 255, (20, 17, 3), np.uint8).repeat(30, 0).repeat(30, 1)
    noisy = np.clip(page.astype(int) + random.integers(-4, 5, page.shape), 0, 255).astype(np.uint8)
    assert apart(likeness(page), likeness(noisy)) <= NEAR
    assert apart(likeness(page), likeness(page[::-1].copy())) > NEAR
