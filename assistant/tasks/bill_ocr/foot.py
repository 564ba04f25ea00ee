"""The rows below a table: labels with their values, which are no items."""

from __future__ import annotations

import re
from itertools import pairwise

from assistant.tasks.bill_ocr.document import DocumentKind
from assistant.tasks.bill_ocr.fragment import Fragment
from assistant.tasks.bill_ocr.labels import folded, labels_in
from assistant.tasks.bill_ocr.rows import Row

TOTAL = re.compile(r"^(?:费用|当日|本日|本次)?(?:合计|总计|总金额)|^(?:合|总)\s*计")
"""Words of the last row of a table, the sum of its items."""
_MONEY = re.compile(r"[¥￥]?\s*\d[\d,]*\.\d\d")
_MARKED = re.compile(r"¥\s*\d[\d,]*\.\d\d")
_ENDS = frozenset({
    "total", "total_in_words", "fund_paid", "account_paid", "cash_paid", "self_paid", "deposit",
    "top_up", "refund", "other_paid", "received_at", "reported_at", "sampled_at",
    "examiner", "reviewer", "cashier", "doctor",
})  # fmt: skip


def is_foot(row: Row, kind: DocumentKind) -> bool:
    """Whether a row is one of labels with their values, below the table."""
    if _named_sum(row, kind):
        return True
    known = 0
    for part in row:
        for found in labels_in(part.text, kind):
            whole = found.end - found.start >= len(part.text)
            if found.label.type == "words" and (found.colon or whole):
                return True  # nothing but the foot has a sum in words
            if found.label.field == "total" and TOTAL.match(folded(part.text)) and not found.colon:
                continue
            if found.label.field in _ENDS and (found.colon or whole) and found.start < 2:
                known += 1 + found.colon
            elif found.colon:
                known += 1
    return known >= 2 or (known == 1 and len(row) <= 2)


def _named_sum(row: Row, kind: DocumentKind) -> bool:
    """Whether one part is the label of a sum, with it or beside it, and another that of a name:
    医师签名黄俊国 药费合计 ¥130.30, which was read without its colons."""
    firsts = [
        (found.label, part.text[found.end :])
        for part in row
        for found in labels_in(part.text, kind)[:1]
        if found.start == 0
    ]
    sums = [rest for label, rest in firsts if label.type == "amount" and label.field in _ENDS]
    named = any(label.type == "name" and rest.strip() for label, rest in firsts)
    marked = any(
        _is_sum(left, kind) and _MARKED.fullmatch(folded(right.text))
        for left, right in pairwise(row)
    )
    # A name that begins with such a word (医师服务费) has its figures in columns of their own.
    return marked or (
        named and any(not rest.strip() or _MONEY.fullmatch(rest.strip()) for rest in sums)
    )


def _is_sum(part: Fragment, kind: DocumentKind) -> bool:
    """Whether a part is the label of a sum and nothing else, and not the word of a table's end."""
    found = labels_in(part.text, kind)
    return (
        len(found) == 1
        and found[0].end - found[0].start >= len(part.text)
        and found[0].label.type == "amount"
        and found[0].label.field in _ENDS
        and not TOTAL.match(folded(part.text))
    )
