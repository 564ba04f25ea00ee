"""A bill for whoever pays: JSON, CSV, FHIR R4 ``Claim`` and ``Invoice``, an insurer's own form.

FHIR after hl7.org/fhir/R4/claim.html and …/invoice.html.  Amounts are in CNY.  The insurer's form
is a YAML file: its field ← ours.
"""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.tasks.bill_ocr.document import ITEM_COLUMNS, BillDocument, DocumentKind, Item

MAPPING_NAME = "claim_mapping.yaml"
"""The insurer's form, in the folder of the hospital's data."""

Resource = dict[str, Any]
_NAMESPACE = uuid.UUID("0f3b8c1e-6a57-5d0e-9c55-2d3f4a8b7e10")
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_CODES = "urn:bedside:catalogue"
_CURRENCY = "CNY"
_TYPES = {
    DocumentKind.PRESCRIPTION: "pharmacy",
    DocumentKind.OUTPATIENT_INVOICE: "professional",
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FORMULA = re.compile(r"[=+@\t\r]|-(?![\d.])")
_EXTRA_COLUMNS = ("catalogue_code", "catalogue_name", "limit_price")
COLUMNS = (*ITEM_COLUMNS, *_EXTRA_COLUMNS)


class MappingError(ValueError):
    """An insurer's form is not valid; the message says why."""


class InsurerForm(BaseModel):
    """An insurer's form.

    ``fields`` maps the insurer's name to ours: ``fields.total``, ``items.amount``, ``kind``,
    ``patient_id``, ``row`` (its number), or ``=text`` for what is always the same.  ``rows``: one
    for each item, or one for the bill.
    """

    model_config = ConfigDict(extra="forbid")

    form: Literal["csv", "json"] = "csv"
    rows: Literal["items", "bill"] = "items"
    fields: dict[str, str] = Field(min_length=1)


def read_mapping(path: Path) -> InsurerForm:
    """The insurer's form of a YAML file.  Raises `MappingError`."""
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        mapping = InsurerForm.model_validate(loaded)
    except (OSError, UnicodeDecodeError):
        raise MappingError(f"读不了映射文件 {path.name}。(The mapping cannot be read.)") from None
    except (yaml.YAMLError, ValidationError):
        raise MappingError(
            f"{path.name} 不是有效的映射：需要 form、rows 和 fields（对方字段: 本系统字段）。"
            "(No valid mapping: form, rows and fields are needed.)"
        ) from None
    for theirs, ours in mapping.fields.items():
        if not re.fullmatch(r"=.*|(fields|items)\.[a-z0-9_]+|kind|patient_id|row", ours, re.S):
            raise MappingError(f"映射里“{theirs}”所指的 {ours} 不存在。(No such field of ours.)")
    return mapping


def mapped(
    document: BillDocument, mapping: InsurerForm, patient_id: str = ""
) -> list[dict[str, str]]:
    """The bill in the insurer's fields; what it does not say is ""."""
    items: Sequence[Item | None] = document.items if mapping.rows == "items" else [None]
    return [
        {
            theirs: _mapped(document, ours, item, number, patient_id)
            for theirs, ours in mapping.fields.items()
        }
        for number, item in enumerate(items, 1)
    ]


def mapped_csv(rows: Sequence[Mapping[str, str]], fields: Sequence[str]) -> str:
    """The insurer's rows as CSV."""
    return _csv([list(fields), *([row[name] for name in fields] for row in rows)])


def items_csv(document: BillDocument) -> str:
    """The items as CSV, a column for each that any item has."""
    seen = {column for item in document.items for column in item}
    columns = [c for c in COLUMNS if c in seen] + sorted(seen - set(COLUMNS))
    rows = [[item[c].value if c in item else "" for c in columns] for item in document.items]
    return _csv([columns or ["name"], *rows])


def claim(document: BillDocument, patient_id: str, bill_id: str) -> Resource:
    """A FHIR R4 ``Claim`` that nobody has sent yet (``draft``)."""
    made: Resource = {
        "resourceType": "Claim",
        "id": _id("Claim", bill_id),
        "meta": _meta(),
        **_identifier(document),
        "status": "draft",
        "type": {
            "coding": [
                {
                    "system": f"{_TERMINOLOGY}/claim-type",
                    "code": _TYPES.get(document.kind, "institutional"),
                }
            ]
        },
        "use": "claim",
        "patient": {"identifier": {"value": patient_id}},
        **_period(document),
        "created": _day(document) or "1900-01-01",
        "provider": {"display": _value(document, "hospital") or "未知 (unknown)"},
        "priority": {"coding": [{"system": f"{_TERMINOLOGY}/processpriority", "code": "normal"}]},
        "insurance": [
            {
                "sequence": 1,
                "focal": True,
                "coverage": {"display": _value(document, "insurance_type") or "基本医疗保险"},
            }
        ],
    }
    if diagnosis := _value(document, "diagnosis"):
        made["diagnosis"] = [{"sequence": 1, "diagnosisCodeableConcept": {"text": diagnosis}}]
    items = [_claim_item(item, number) for number, item in enumerate(document.items, 1)]
    if items:
        made["item"] = items
    if (total := _number(_value(document, "total"))) is not None:
        made["total"] = _money(total)
    return made


def invoice(document: BillDocument, patient_id: str, bill_id: str) -> Resource:
    """A FHIR R4 ``Invoice``."""
    made: Resource = {
        "resourceType": "Invoice",
        "id": _id("Invoice", bill_id),
        "meta": _meta(),
        **_identifier(document),
        "status": "issued",
        "subject": {"identifier": {"value": patient_id}},
        "issuer": {"display": _value(document, "hospital") or "未知 (unknown)"},
    }
    if day := _day(document):
        made["date"] = day
    lines = []
    for number, item in enumerate(document.items, 1):
        line: Resource = {
            "sequence": number,
            "chargeItemCodeableConcept": _concept(item),
        }
        if (amount := _number(_cell(item, "amount"))) is not None:
            line["priceComponent"] = [{"type": "base", "amount": _money(amount)}]
        lines.append(line)
    if lines:
        made["lineItem"] = lines
    if (total := _number(_value(document, "total"))) is not None:
        made["totalGross"] = _money(total)
    return made


def bundle(document: BillDocument, patient_id: str, bill_id: str) -> Resource:
    """A Bundle of the ``Claim`` and the ``Invoice``."""
    both = (claim(document, patient_id, bill_id), invoice(document, patient_id, bill_id))
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"urn:uuid:{one['id']}", "resource": one} for one in both],
    }


def _claim_item(item: Item, number: int) -> Resource:
    made: Resource = {"sequence": number, "productOrService": _concept(item)}
    if (quantity := _number(_cell(item, "quantity"))) is not None:
        made["quantity"] = {"value": float(quantity)}
        if unit := _cell(item, "unit"):
            made["quantity"]["unit"] = unit
    if (price := _number(_cell(item, "unit_price"))) is not None:
        made["unitPrice"] = _money(price)
    if (amount := _number(_cell(item, "amount"))) is not None:
        made["net"] = _money(amount)
    return made


def _concept(item: Item) -> Resource:
    name = " ".join(part for part in (_cell(item, "name"), _cell(item, "specification")) if part)
    made: Resource = {"text": name or "未知 (unknown)"}
    code = _cell(item, "catalogue_code") or _cell(item, "code")
    if code:
        coding = {"system": _CODES, "code": code}
        if display := _cell(item, "catalogue_name"):
            coding["display"] = display
        made["coding"] = [coding]
    return made


def _identifier(document: BillDocument) -> Resource:
    number = _value(document, "invoice_number")
    return {"identifier": [{"value": number}]} if number else {}


def _period(document: BillDocument) -> Resource:
    days = {
        "start": _value(document, "admitted_on"),
        "end": _value(document, "discharged_on"),
    }
    known = {name: day for name, day in days.items() if _DAY.fullmatch(day)}
    return {"billablePeriod": known} if known else {}


def _day(document: BillDocument) -> str:
    day = _value(document, "date")[:10]
    return day if _DAY.fullmatch(day) else ""


def _meta() -> Resource:
    return {"tag": [{"display": f"{DISCLAIMER_ZH} {DISCLAIMER_EN}"}]}


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\0".join(parts)))


def _money(amount: Decimal) -> Resource:
    return {"value": float(amount), "currency": _CURRENCY}


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _cell(item: Item, column: str) -> str:
    return item[column].value if column in item else ""


def _value(document: BillDocument, field: str) -> str:
    return document.fields[field].value if field in document.fields else ""


def _mapped(
    document: BillDocument, ours: str, item: Item | None, number: int, patient_id: str
) -> str:
    if ours.startswith("="):
        return ours[1:]
    alone = {"kind": document.kind.value, "patient_id": patient_id, "row": str(number)}
    if ours in alone:
        return alone[ours]
    where, _, name = ours.partition(".")
    if where == "fields":
        return _value(document, name)
    return "" if item is None else _cell(item, name)


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    # What begins like a formula would be reckoned by a spreadsheet.
    writer.writerows([f"'{c}" if _FORMULA.match(c) else c for c in row] for row in rows)
    return out.getvalue()
