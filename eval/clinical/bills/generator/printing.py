"""Values as a layout prints them."""

from __future__ import annotations

from assistant.tasks.bill_ocr.chinese_amount import in_words
from eval.clinical.bills.generator.layout import Layout

AMOUNTS = frozenset(
    [
        "total",
        "fund_paid",
        "account_paid",
        "self_paid",
        "own_expense",
        "cash_paid",
        "deposit",
        "refund",
        "top_up",
    ]
)
DATES = frozenset(["date", "admitted_on", "discharged_on"])


def printed(layout: Layout, name: str, value: str) -> str:
    """A value as this layout prints it."""
    if name == "total_in_words":
        return in_words(value)
    if name in AMOUNTS:
        return f"{float(value):,.2f}" if layout.amounts == "," else value
    if name in DATES:
        year, month, day = (int(part) for part in value.split("-"))
        return layout.dates.format(y=year, m=month, d=day)
    return value
