"""What messages come to: one encounter, whatever order they came in."""

from __future__ import annotations

import base64
import itertools

import hl7_samples as made

from assistant.interop.hl7.message import parse
from assistant.interop.hl7.stay import encounter_of
from assistant.record.encounter import Encounter

WBC = "OBX|1|NM|WBC^白细胞计数||13.2|10*9/L|3.5-9.5|H|||F"


def stay(*texts: str) -> Encounter:
    messages = sorted(map(parse, texts), key=lambda m: str(m.written_at))
    return encounter_of(messages, "p1", "e1")


def test_admission_result_document_and_discharge() -> None:
    found = stay(
        made.message(
            "ADT^A01",
            "AL1|1|DA|PEN^青霉素|SV|皮疹~休克",
            "DG1|1||J18.900^肺炎^ICD10||20260305|A|||||||||1",
        ),
        made.result(WBC),
        made.document("主诉：咳嗽3天。~现病史：受凉后咳嗽。"),
        made.message("ADT^A03", control="9", time="20260310103000"),
    )
    assert (found.patient.name, found.patient.sex) == ("测试甲", "female")
    assert (found.department, found.ward, found.bed) == ("呼吸内科", "呼吸二病区", "3-12")
    assert found.admitted_at is not None
    assert found.discharged_at is not None
    assert found.discharged_at.day == 10
    assert [(d.name, d.icd10, d.primary) for d in found.diagnoses] == [("肺炎", "J18.900", True)]
    row = found.observations[0]
    assert (row.name, row.value, row.unit, row.flag) == ("白细胞计数", "13.2", "10^9/L", "high")
    notes = {n.title: n for n in found.notes}
    assert notes["入院记录"].text == "主诉：咳嗽3天。\n现病史：受凉后咳嗽。"
    assert (notes["入院记录"].kind, notes["入院记录"].author) == ("admission", "测试医师")
    assert notes["过敏史"].text == "青霉素过敏（反应：皮疹、休克）。"


def test_no_allergy_reads_as_a_denial_and_a_deleted_row_as_nothing() -> None:
    found = stay(
        made.message(
            "ADT^A01", "AL1|1|DA|^无", "DG1|1||^否认糖尿病", "DG1|2||^肺癌|||A|||||||||||||||D"
        )
    )
    assert [n.text for n in found.notes] == ["否认过敏史。"]
    assert found.diagnoses == []


def test_results_that_are_early_wrong_deleted_or_corrected() -> None:
    early = made.result(WBC.replace("||F", "||P"), "OBX|2|NM|HGB^血红蛋白||120|g/L|||||P")
    corrected = made.result(
        WBC.replace("13.2", "3.2").replace("|||F", "|||C"), control="r2", time="20260305110000"
    )
    wrong = made.result("OBX|2|NM|HGB^血红蛋白||120|g/L|||||W", control="r3", time="20260305120000")
    assert [(o.name, o.status) for o in stay(early).observations] == [
        ("白细胞计数", "pending"),
        ("血红蛋白", "pending"),
    ]
    found = stay(early, corrected, wrong)
    assert [(o.name, o.value, o.status) for o in found.observations] == [
        ("白细胞计数", "3.2", "final")
    ]


def test_values_of_several_types() -> None:
    found = stay(
        made.result(
            "OBX|1|SN|A^A||<^0.01|ng/mL|||||F",
            "OBX|2|CE|B^B||POS^阳性||||||F",
            "OBX|3|ST|C^C||1:40||||||F",
            'OBX|4|NM|D^D||""||||||F',
            "OBX|5|NM|E^E||||||||X",
        )
    )
    assert [(o.name, o.value) for o in found.observations] == [
        ("A", "<0.01"),
        ("B", "阳性"),
        ("C", "1:40"),
    ]


def test_a_report_is_a_note_and_a_pdf_none() -> None:
    text = base64.b64encode("印象：右下肺炎症。".encode("gb18030")).decode()
    found = stay(
        made.result(
            "OBX|1|TX|CT^胸部CT||右下肺斑片影。~未见胸腔积液。||||||F",
            f"OBX|2|ED|X^附件||^TEXT^^Base64^{text}||||||F",
            "OBX|3|ED|PDF^附件||^AP^PDF^Base64^JVBERi0=||||||F",
        )
    )
    assert [n.text for n in found.notes] == [
        "胸部CT：右下肺斑片影。\n未见胸腔积液。\n附件：印象：右下肺炎症。"
    ]
    assert found.observations == []


def test_documents_are_edited_replaced_cancelled_and_not_shown_unfinished() -> None:
    first = made.document("旧文。")
    edited = made.document("新文。", control="d2", trigger="T08", time="20260305120000")
    unfinished = made.document("半", control="d3", trigger="T08", state="IP", time="20260305130000")
    other = made.document(
        "另文。", control="d4", trigger="T10", number="DOC2", parent="DOC1", time="20260305140000"
    )
    cancelled = made.document("", control="d5", trigger="T11", number="DOC2", time="20260305150000")
    addendum = made.document(
        "补记。", control="d6", trigger="T06", number="DOC3", parent="DOC1", time="20260305140000"
    )

    def texts(*messages: str) -> list[str]:
        return [n.text for n in stay(*messages).notes]

    assert texts(first, edited) == ["新文。"]
    assert texts(first, edited, unfinished) == ["新文。"]
    assert texts(first, other) == ["另文。"]
    assert texts(first, other, cancelled) == []
    assert texts(first, addendum) == ["旧文。", "补记。"]


def test_a_cancelled_discharge_is_none_and_a_null_takes_away() -> None:
    out = made.message("ADT^A03", control="2", time="20260310103000")
    back = made.message("ADT^A13", control="3", time="20260310113000")
    gone = made.message("ADT^A08", control="4", time="20260311080000").replace("|呼吸内科|", '|""|')
    assert stay(made.message(), out, back).discharged_at is None
    assert stay(made.message(), gone).department == ""


def test_the_order_of_arrival_does_not_matter() -> None:
    texts = [
        made.message(),
        made.message("ADT^A08", control="2", time="20260306080000").replace("呼吸内科", "心内科"),
        made.message("ADT^A03", control="3", time="20260310103000").replace("呼吸内科", "心内科"),
        made.result(WBC),
    ]
    found = {stay(*order).model_dump_json() for order in itertools.permutations(texts)}
    assert len(found) == 1
    assert '"department":"心内科"' in found.pop()
