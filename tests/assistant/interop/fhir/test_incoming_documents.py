"""Documents, compositions and reports as notes."""

from __future__ import annotations

from typing import Any

import fhir_samples as made
import pytest
from fhir_incoming import codes, read


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        ("主诉：咳嗽。".encode("gb18030"), "text/plain"),
        ("主诉：咳嗽。".encode("gb18030"), "text/plain; charset=UTF-8"),
        ("主诉：咳嗽。".encode(), "text/plain; charset=GBK"),
        (b"\xef\xbb\xbf" + "主诉：咳嗽。".encode(), "text/plain"),
        ("主诉：咳嗽。".encode("utf-16"), "text/plain"),
        ("<html><body><p>主诉：咳嗽。<s>咯血</s></p></body></html>".encode(), "text/html"),
    ],
)
def test_texts_in_chinese_encodings_and_html(data: bytes, media_type: str) -> None:
    content = [{"attachment": made.attachment(data, media_type)}]
    found = read(made.document(content=content))
    assert [n.text for n in found.encounter.notes] == ["主诉：咳嗽。"]


def test_a_pdf_is_left_and_named() -> None:
    found = read(
        made.document(content=[{"attachment": made.attachment(b"%PDF-1.7", "application/pdf")}])
    )
    assert found.encounter.notes == []
    assert codes(found, "DocumentReference/d1") == {"attachment"}


def test_a_composition_with_xhtml_sections() -> None:
    def div(text: str) -> dict[str, Any]:
        return {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>',
        }

    composition = {
        "resourceType": "Composition",
        "id": "k1",
        "status": "final",
        "title": "首次病程记录",
        "type": {"text": "病程"},
        "subject": made.PATIENT,
        "encounter": made.STAY,
        "date": "2026-03-05",
        "author": [{"display": "测试医师"}],
        "section": [
            {"title": "主诉", "text": div("咳嗽<br/>3天")},
            {"title": "查体", "section": [{"title": "肺部", "text": div("<p>湿啰音</p>")}]},
        ],
    }
    note = read(composition).encounter.notes[0]
    assert note.kind == "first_progress"
    assert note.text == "主诉：咳嗽\n3天\n查体：\n肺部：湿啰音"


def test_superseded_replaced_and_generated_documents_are_left_out() -> None:
    label = {"security": [{"code": "AIAST"}]}
    found = read(
        made.document("d1", "旧文"),
        made.document(
            "d2",
            "新文",
            relatesTo=[{"code": "replaces", "target": {"reference": "DocumentReference/d1"}}],
        ),
        made.document("d3", "作废", status="superseded"),
        made.document("d4", "机器草稿", meta=label, docStatus="preliminary"),
    )
    assert [n.text for n in found.encounter.notes] == ["新文"]
    assert codes(found, "DocumentReference/d4") == {"generated"}


def test_reports_and_results_that_are_not_back() -> None:
    base = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "胸部CT平扫"},
        "subject": made.PATIENT,
        "encounter": made.STAY,
        "effectiveDateTime": "2026-03-05T12:00:00+08:00",
    }
    found = read(
        {**base, "id": "r1", "conclusion": "右下肺炎症。"},
        {**base, "id": "r2", "status": "partial", "conclusion": "待会诊。"},
        {**base, "id": "r3", "status": "registered"},
        {**base, "id": "r4", "status": "cancelled", "conclusion": "肺癌。"},
    )
    assert {n.title: n.text for n in found.encounter.notes} == {
        "胸部CT平扫": "结论：右下肺炎症。",
        "胸部CT平扫（初步报告）": "结论：待会诊。",
    }
    assert [(o.kind, o.status) for o in found.encounter.orders] == [("imaging", "pending")]
