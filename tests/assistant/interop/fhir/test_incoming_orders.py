"""Orders, what was given, procedures."""

from __future__ import annotations

from typing import Any

import fhir_samples as made
import pytest
from fhir_incoming import codes, read, whole_text


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
