"""FHIR R4 resources in, one encounter of the record out."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import fhir_samples as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.interop.fhir.incoming import (
    Incoming,
    IncomingRefused,
    encounter_from_bundle,
    read_resources,
)


def read(*resources: Any) -> Incoming:
    return read_resources([made.bundle(made.patient(), made.stay(), *resources)], "p1", "e1")


def codes(found: Incoming, resource: str) -> set[str]:
    return {p.code for p in found.problems if p.resource == resource}


def whole_text(found: Incoming) -> str:
    return "\n".join(note.text for note in found.encounter.all_notes())


def test_a_bundle_becomes_an_encounter() -> None:
    found = read(
        made.observation(), made.condition(), made.allergy(), made.request(), made.document()
    )
    encounter = found.encounter
    assert found.problems == []
    assert (encounter.patient.name, encounter.patient.sex) == ("测试甲", "female")
    assert (encounter.department, encounter.ward, encounter.bed) == (
        "呼吸内科",
        "呼吸二病区",
        "12床",
    )
    assert (encounter.diagnoses[0].name, encounter.diagnoses[0].icd10) == ("肺炎", "J18.900")
    row = encounter.observations[0]
    assert (row.name, row.value, row.unit) == ("白细胞计数", "13.2", "10^9/L")
    assert row.at is not None
    assert row.at.isoformat() == "2026-03-05T09:30:00+08:00", "UTC becomes the hospital's time"
    drug = encounter.medications[0]
    assert (drug.dose, drug.route, drug.frequency) == ("2g", "皮下注射", "每12小时1次")
    assert {n.title: n.text for n in encounter.notes} == {
        "过敏史": "青霉素过敏。",
        "入院记录": "主诉：咳嗽3天。",
    }
    assert {n.kind for n in encounter.notes} == {"other", "admission"}


def test_the_function_for_other_parts_gives_the_encounter_alone() -> None:
    resources = [made.patient(), made.stay(), made.observation()]
    encounter = encounter_from_bundle(resources, "p1", "e1")
    assert [o.id for o in encounter.observations] == ["o1"]
    assert encounter_from_bundle(resources, "p1", "").id == "e1"
    with pytest.raises(IncomingRefused, match="encounter_id"):
        encounter_from_bundle([made.patient()], "p1", "")


def test_another_patients_resources_are_left_out_and_named() -> None:
    other = {"reference": "Patient/p2"}
    nobody = made.observation("o3")
    del nobody["subject"]
    found = read(
        made.patient("p2", name=[{"text": "测试乙"}]),
        made.observation("o2", subject=other),
        made.condition("c2", "糖尿病", subject=other),
        made.document("d2", "他人病历", subject=other),
        nobody,
    )
    assert found.encounter.patient.name == "测试甲"
    assert found.encounter.observations == []
    assert found.encounter.diagnoses == []
    assert found.encounter.notes == []
    for resource in ("Patient/p2", "Observation/o2", "Condition/c2", "Observation/o3"):
        assert codes(found, resource) == {"patient"}


def test_references_by_full_url_and_urn_are_followed() -> None:
    urn = "urn:uuid:5b6f5f0e-0d5f-4c7e-9a53-1c5f6f0b7a11"
    entries = [
        {"fullUrl": urn, "resource": {**made.patient(), "id": "p1"}},
        {"fullUrl": f"{made.BASE}/Encounter/e1", "resource": made.stay()},
        {"resource": made.observation("o1", subject={"reference": urn})},
        {"resource": made.observation("o2", subject={"reference": f"{made.BASE}/Patient/p1"})},
    ]
    found = read_resources([{"resourceType": "Bundle", "entry": entries}], "p1", "e1")
    assert [o.id for o in found.encounter.observations] == ["o1", "o2"]


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "unknown", "rubbish", None])
def test_an_observation_that_is_no_fact_is_left_out(status: str | None) -> None:
    found = read(made.observation(status=status))
    assert found.encounter.observations == []
    assert codes(found, "Observation/o1")


def test_a_preliminary_result_is_not_said_as_a_result() -> None:
    found = read(made.observation(status="preliminary"))
    assert found.encounter.observations[0].status == "pending"
    assert "13.2" not in whole_text(found)
    assert codes(found, "Observation/o1") == {"preliminary"}


def test_what_was_not_measured_makes_no_row() -> None:
    absent = made.observation(dataAbsentReason=made.coded("", "not-performed"))
    del absent["valueQuantity"]
    found = read(absent)
    assert found.encounter.observations == []
    assert codes(found, "Observation/o1") == {"absent"}


def test_a_blood_pressure_is_one_value_and_other_components_a_row_each() -> None:
    def part(code: dict[str, Any], value: Any, unit: str) -> dict[str, Any]:
        return {"code": code, "valueQuantity": {"value": value, "unit": unit}}

    pressure = made.observation(
        "bp",
        code=made.coded("血压", "85354-9"),
        component=[
            part(made.coded("", "8480-6"), 128, "mm[Hg]"),
            part(made.coded("", "8462-4"), 76, "mm[Hg]"),
        ],
    )
    gas = made.observation(
        "gas",
        code={"text": "血气分析"},
        component=[
            part({"text": "pH"}, 7.38, "1"),
            {"code": {"text": "氧分压"}, "dataAbsentReason": made.coded("", "error")},
        ],
    )
    for one in (pressure, gas):
        del one["valueQuantity"]
    found = read(pressure, gas)
    assert [(o.name, o.value, o.unit) for o in found.encounter.observations] == [
        ("血压", "128/76", "mmHg"),
        ("pH", "7.38", ""),
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"valueQuantity": {"value": 0.01, "comparator": "<", "unit": "ng/mL"}}, "<0.01"),
        ({"valueQuantity": {"value": Decimal("1.20"), "unit": "mmol/L"}}, "1.20"),
        ({"valueQuantity": {"value": 1e-7, "unit": "mol/L"}}, "0.0000001"),
        ({"valueCodeableConcept": {"text": "阳性"}}, "阳性"),
        ({"valueString": "未见异常"}, "未见异常"),
        ({"valueBoolean": False}, "无"),
        ({"valueInteger": 3}, "3"),
        ({"valueRange": {"low": {"value": 3}, "high": {"value": 5}}}, "3-5"),
        ({"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 40}}}, "1:40"),
        ({"interpretation": [made.coded("", "NEG")]}, "阴性"),
    ],
)
def test_values_of_every_type(value: dict[str, Any], shown: str) -> None:
    given_value = made.observation()
    del given_value["valueQuantity"]
    assert read({**given_value, **value}).encounter.observations[0].value == shown


def test_a_comparator_that_r4_does_not_have_makes_no_value() -> None:
    found = read(made.observation(valueQuantity={"value": 3, "comparator": "~"}))
    assert found.encounter.observations == []
    assert "comparator" in codes(found, "Observation/o1")


def test_flag_and_normal_range() -> None:
    found = read(
        made.observation(
            interpretation=[made.coded("", "HH")],
            referenceRange=[
                {"type": made.coded("", "therapeutic"), "low": {"value": 1}},
                {"low": {"value": 3.5}, "high": {"value": 9.5}},
            ],
        )
    )
    row = found.encounter.observations[0]
    assert (row.flag, row.reference) == ("high", "3.5-9.5")


@pytest.mark.parametrize("verification", ["refuted", "entered-in-error"])
def test_a_refuted_condition_is_nowhere(verification: str) -> None:
    found = read(
        made.condition(verificationStatus=made.status_of("condition-ver-status", verification))
    )
    assert "肺炎" not in whole_text(found)
    assert codes(found, "Condition/c1") == {verification}


@pytest.mark.parametrize("verification", ["unconfirmed", "provisional", "differential", "odd"])
def test_a_doubted_condition_is_named_so_and_has_no_code(verification: str) -> None:
    found = read(
        made.condition(verificationStatus=made.status_of("condition-ver-status", verification))
    )
    assert [(d.name, d.icd10) for d in found.encounter.diagnoses] == [("肺炎待排", None)]


def test_what_is_over_or_of_another_stay_is_past_history() -> None:
    found = read(
        made.condition(
            "c1", "阑尾炎", clinicalStatus=made.status_of("condition-clinical", "resolved")
        ),
        made.condition("c2", "胆囊炎", encounter={"reference": "Encounter/e0"}),
        made.condition("c3", "否认糖尿病"),
    )
    assert found.encounter.diagnoses == []
    history = next(n for n in found.encounter.notes if n.title == "既往史")
    assert history.text.splitlines() == ["阑尾炎（已愈）。", "胆囊炎。", "否认糖尿病。"]


def test_the_encounter_says_which_diagnosis_is_which() -> None:
    rows = [
        {"condition": {"reference": "Condition/c1"}, "use": made.coded("", "AD"), "rank": 1},
        {"condition": {"reference": "Condition/c1"}, "use": made.coded("", "DD"), "rank": 2},
    ]
    found = read_resources(
        [made.patient(), made.stay(diagnosis=rows), made.condition()], "p1", "e1"
    )
    assert [(d.kind, d.primary) for d in found.encounter.diagnoses] == [
        ("admission", True),
        ("discharge", False),
    ]


@pytest.mark.parametrize(
    "allergy",
    [
        made.allergy(code=made.coded("No known allergies", "716186003", "http://snomed.info/sct")),
        made.allergy(name="无"),
        made.allergy(name="否认药物过敏史"),
        made.allergy(name="NKDA"),
        made.allergy(name="无已知药物过敏史"),
        made.allergy(name="无药物、食物过敏"),
        made.allergy(name="No known drug allergies"),
    ],
)
def test_no_known_allergy_is_a_denial(allergy: dict[str, Any]) -> None:
    found = read(allergy)
    assert whole_text(found) == "否认药物过敏史。"


def test_an_allergen_whose_name_begins_like_a_denial_is_one() -> None:
    assert whole_text(read(made.allergy(name="无花果"))) == "无花果过敏。"
    assert whole_text(read(made.allergy(name="无花果过敏"))) == "无花果过敏。"
    assert whole_text(read(made.condition(name="无痛性血尿"))) == "入院诊断：无痛性血尿（J18.900）"


def test_a_refuted_allergy_is_nowhere_and_a_suspected_one_says_so() -> None:
    ver = "allergyintolerance-verification"
    found = read(
        made.allergy("a1", "青霉素", verificationStatus=made.status_of(ver, "refuted")),
        made.allergy("a2", "头孢", verificationStatus=made.status_of(ver, "unconfirmed")),
        made.allergy(
            "a3", "磺胺", reaction=[{"manifestation": [{"text": "皮疹"}], "severity": "severe"}]
        ),
        made.allergy("a4", "无"),
    )
    text = whole_text(found)
    assert text.splitlines() == ["可疑头孢过敏。", "磺胺过敏（反应：皮疹，重度）。"]
    assert codes(found, "AllergyIntolerance/a1") == {"contradiction", "refuted"}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"status": "cancelled"}, "cancelled"),
        ({"status": "entered-in-error"}, "entered-in-error"),
        ({"status": "draft"}, "draft"),
        ({"intent": "proposal"}, "intent"),
        ({"doNotPerform": True}, "intent"),
        ({"encounter": {"reference": "Encounter/e0"}}, "stay"),
    ],
)
def test_orders_that_are_none_are_left_out(change: dict[str, Any], left: str) -> None:
    found = read(made.request(**change))
    assert found.encounter.medications == []
    assert codes(found, "MedicationRequest/m1") == {left}


def test_medication_contained_referenced_or_missing() -> None:
    drug = {"resourceType": "Medication", "id": "x", "code": {"text": "阿司匹林肠溶片"}}
    strength = {
        "numerator": {"value": 100, "unit": "mg"},
        "denominator": {"value": 1, "unit": "片"},
    }
    contained = made.request("m1", medicationReference={"reference": "#x"}, contained=[drug])
    apart = made.request("m2", medicationReference={"reference": "Medication/y"})
    missing = made.request("m3", medicationReference={"reference": "Medication/z"})
    for one in (contained, apart, missing):
        del one["medicationCodeableConcept"]
    medication = {**drug, "id": "y", "ingredient": [{"strength": strength}]}
    found = read(contained, apart, missing, medication)
    assert [(m.name, m.specification) for m in found.encounter.medications] == [
        ("阿司匹林肠溶片", ""),
        ("阿司匹林肠溶片", "100mg/片"),
    ]
    assert codes(found, "MedicationRequest/m3") == {"medication"}


def test_dosage_text_stands_where_the_structure_says_less() -> None:
    found = read(
        made.request(
            "m1",
            status="stopped",
            dosageInstruction=[{"text": "5mg 口服 每日1次，血压低于90时停用"}],
            category=[made.coded("出院带药")],
        ),
        made.request(
            "m2",
            dosageInstruction=[
                {"timing": {"code": made.coded("", "BID")}, "asNeededBoolean": True}
            ],
        ),
    )
    first, second = found.encounter.medications
    assert first.frequency == "5mg 口服 每日1次，血压低于90时停用（已停用）"
    assert first.discharge
    assert second.frequency == "每日2次 必要时"


def test_administrations_are_one_row_a_drug_unless_the_order_says_it() -> None:
    def given_at(identifier: str, day: int, **more: Any) -> dict[str, Any]:
        return {
            "resourceType": "MedicationAdministration",
            "id": identifier,
            "status": "completed",
            "medicationCodeableConcept": {"text": "呋塞米"},
            "subject": made.PATIENT,
            "context": made.STAY,
            "effectiveDateTime": f"2026-03-{day:02}T08:00:00+08:00",
            "dosage": {"dose": {"value": 20, "unit": "mg"}},
            **more,
        }

    found = read(
        made.request(),
        given_at("g1", 6),
        given_at("g2", 8),
        given_at("g3", 9, status="not-done"),
        given_at("g4", 9, request={"reference": "MedicationRequest/m1"}),
    )
    rows = found.encounter.medications
    assert [m.name for m in rows] == ["头孢曲松钠", "呋塞米"]
    assert (rows[1].dose, rows[1].frequency) == ("20mg", "共给药2次")
    assert (str(rows[1].start), str(rows[1].stop)) == ("2026-03-06", "2026-03-08")


def test_what_the_patient_takes_at_home_is_no_order_of_the_stay() -> None:
    statement = {
        "resourceType": "MedicationStatement",
        "id": "s1",
        "status": "active",
        "medicationCodeableConcept": {"text": "氨氯地平"},
        "subject": made.PATIENT,
        "dosage": [{"text": "5mg 每日1次"}],
    }
    found = read(statement, {**statement, "id": "s2", "status": "not-taken"})
    assert found.encounter.medications == []
    assert whole_text(found) == "正在使用：氨氯地平 5mg 每日1次。"


def test_procedures_and_orders() -> None:
    procedure = {
        "resourceType": "Procedure",
        "id": "x1",
        "status": "completed",
        "code": {"text": "全髋关节置换术"},
        "bodySite": [made.coded("", "7771000", "http://snomed.info/sct")],
        "subject": made.PATIENT,
        "performedDateTime": "2026-03-06",
    }
    service = {
        "resourceType": "ServiceRequest",
        "id": "r1",
        "status": "revoked",
        "intent": "order",
        "code": {"text": "胸部CT平扫"},
        "subject": made.PATIENT,
    }
    found = read(
        procedure,
        {**procedure, "id": "x2", "status": "not-done"},
        service,
        {**service, "id": "r2", "doNotPerform": True},
    )
    assert [(o.name, o.laterality) for o in found.encounter.operations] == [
        ("全髋关节置换术", "left")
    ]
    assert [(o.kind, o.status) for o in found.encounter.orders] == [("imaging", "stopped")]
    assert codes(found, "Procedure/x2") == {"not-done"}


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


def test_fields_of_wrong_types_are_named_and_the_rest_is_read() -> None:
    found = read(
        made.observation("o1", code="白细胞", effectiveDateTime=7),
        made.observation("o2", valueQuantity={"value": "高", "unit": 3}),
        made.observation("o3"),
        {"resourceType": "Martian", "id": "m"},
        "rubbish",
    )
    assert [o.id for o in found.encounter.observations] == ["o3"]
    for resource in ("Observation/o1", "Observation/o2"):
        assert "field" in codes(found, resource)
    assert codes(found, "Martian/m") == {"type"}


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["Patient/p1", "Encounter/e1", "#x", "2026-02-30", "9999-12-31T23:59:60Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
SAMPLES = [
    made.patient(),
    made.stay(diagnosis=[{"condition": {"reference": "Condition/c1"}}]),
    made.observation(referenceRange=[{"low": {"value": 1}}]),
    made.condition(),
    made.allergy(),
    made.request(),
    made.document(),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [p for key, item in inner for p in [(*path, key), *places(item, (*path, key))]]


@settings(max_examples=150)
@given(data=st.data(), junk=VALUES)
def test_no_field_whatever_it_holds_stops_the_reading(data: st.DataObject, junk: Any) -> None:
    resources = copy.deepcopy(SAMPLES)
    path = data.draw(st.sampled_from(places(resources)))
    spot: Any = resources
    for key in path[:-1]:
        spot = spot[key]
    spot[path[-1]] = junk
    found = read_resources(resources, "p1", "e1")
    json.loads(found.model_dump_json())
    assert found.encounter.id == "e1"
