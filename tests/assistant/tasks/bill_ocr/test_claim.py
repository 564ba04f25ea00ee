"""A bill for whoever pays."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from bill_samples import FIRST, reading

from assistant.tasks.bill_ocr.claim import (
    InsurerForm,
    MappingError,
    bundle,
    claim,
    invoice,
    items_csv,
    mapped,
    mapped_csv,
    read_mapping,
)
from assistant.tasks.bill_ocr.document import BillDocument, Cell, DocumentKind


@pytest.fixture
def document() -> BillDocument:
    made = reading(FIRST).document
    made.fields["date"] = Cell(value="2024-03-05")
    made.items[0]["catalogue_code"] = Cell(value="D1")
    return made


def test_a_claim_has_what_r4_requires(document: BillDocument) -> None:
    made = claim(document, "pat-1", "b1")
    required = ("status", "type", "use", "patient", "created", "provider", "priority", "insurance")
    assert all(made.get(name) for name in required)
    assert made["item"][0]["productOrService"]["coding"][0]["code"] == "D1"
    assert made["item"][0]["quantity"]["value"] == 2
    assert made["total"] == {"value": 45.0, "currency": "CNY"}
    assert sum(item["net"]["value"] for item in made["item"]) == made["total"]["value"]


def test_an_invoice_and_a_bundle(document: BillDocument) -> None:
    made = invoice(document, "pat-1", "b1")
    assert (made["status"], made["date"]) == ("issued", "2024-03-05")
    assert [line["priceComponent"][0]["amount"]["value"] for line in made["lineItem"]] == [25, 20]
    both = bundle(document, "pat-1", "b1")
    assert [e["resource"]["resourceType"] for e in both["entry"]] == ["Claim", "Invoice"]
    assert bundle(document, "pat-1", "b1") == both


def test_an_empty_document_is_a_claim_too() -> None:
    made = claim(BillDocument(kind=DocumentKind.UNKNOWN), "pat-1", "b1")
    assert "item" not in made
    assert made["insurance"]


def test_items_as_csv_without_formulas(document: BillDocument) -> None:
    document.items[1]["name"] = Cell(value="=cmd()")
    document.items[1]["amount"] = Cell(value="-20.00")
    rows = list(csv.DictReader(io.StringIO(items_csv(document))))
    assert rows[0]["name"] == "阿莫西木胶囊"
    assert rows[1]["name"] == "'=cmd()"
    assert rows[1]["amount"] == "-20.00"


def test_the_insurers_own_form(tmp_path: Path, document: BillDocument) -> None:
    path = tmp_path / "claim_mapping.yaml"
    path.write_text(
        "fields:\n  序号: row\n  人员编号: patient_id\n  机构: fields.hospital\n"
        "  项目编码: items.catalogue_code\n  金额: items.amount\n  币种: =CNY\n",
        encoding="utf-8",
    )
    form = read_mapping(path)
    rows = mapped(document, form, "pat-1")
    assert rows[0] == {
        "序号": "1",
        "人员编号": "pat-1",
        "机构": "青山县人民医院",
        "项目编码": "D1",
        "金额": "25.00",
        "币种": "CNY",
    }
    assert mapped_csv(rows, list(form.fields)).splitlines()[0].startswith("序号,人员编号")
    whole = InsurerForm(rows="bill", fields={"合计": "fields.total"})
    assert mapped(document, whole) == [{"合计": "45.00"}]


@pytest.mark.parametrize(
    "text", ["", "fields: 3", "fields:\n  a: secret", "fields: {a: kind}\nextra: 1", "a: [", "[]"]
)
def test_a_form_that_cannot_be_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(MappingError):
        read_mapping(path)
