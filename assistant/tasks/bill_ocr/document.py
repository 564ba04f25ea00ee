"""What a bill says: fields and items, each with its value and its place on a page."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.evidence import Rectangle


class DocumentKind(StrEnum):
    """What a page is."""

    OUTPATIENT_INVOICE = "outpatient_invoice"
    INPATIENT_INVOICE = "inpatient_invoice"
    ITEMISED_LIST = "itemised_list"
    SETTLEMENT_SHEET = "settlement_sheet"
    PRESCRIPTION = "prescription"
    LABORATORY_SHEET = "laboratory_sheet"
    DISCHARGE_RECORD = "discharge_record"
    UNKNOWN = "unknown"


class Cell(BaseModel):
    """One value as it stands on a page.

    ``value`` is normalised text (amounts with two decimals, dates as YYYY-MM-DD, names as
    printed); ``text`` is what was read; ``confidence`` lies in 0–1; ``doubt`` says why a person
    should look, empty where nothing speaks for it.  ``readings`` are other values that were read
    there, of numbers alone.
    """

    model_config = ConfigDict(validate_assignment=True)

    value: str
    text: str = ""
    box: Rectangle | None = None
    page: int = Field(default=1, ge=1)
    confidence: float = Field(default=1.0, ge=0, le=1)
    doubt: str = ""
    corrected: bool = False
    readings: list[str] = Field(default_factory=list)


Item = dict[str, Cell]
"""A row by its columns: `ITEM_COLUMNS` of a bill, `RESULT_COLUMNS` of a laboratory sheet."""

ITEM_COLUMNS = (
    "code",
    "name",
    "specification",
    "unit",
    "quantity",
    "unit_price",
    "amount",
    "class",
    "self_paid_share",
)
RESULT_COLUMNS = ("code", "name", "value", "unit", "range", "flag")


class Check(BaseModel):
    """What was compared, and what a failure concerns.

    ``concerns`` are paths such as ``fields.total`` and ``items.3.amount``; ``message`` says it in
    Chinese, ``suggestion`` which correction would settle it.
    """

    name: str
    passed: bool
    concerns: list[str] = Field(default_factory=list)
    message: str = ""
    suggestion: str = ""


class BillDocument(BaseModel):
    """One document, which may have several pages."""

    kind: DocumentKind = DocumentKind.UNKNOWN
    pages: list[int] = Field(default_factory=lambda: [1])
    fields: dict[str, Cell] = Field(default_factory=dict)
    items: list[Item] = Field(default_factory=list)
    checks: list[Check] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)


Annotate = Callable[[BillDocument], BillDocument]
"""A document with what something else knows of it."""
