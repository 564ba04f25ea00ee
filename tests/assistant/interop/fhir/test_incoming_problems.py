"""Conditions and allergies: asserted, doubted, denied, over."""

from __future__ import annotations

from typing import Any

import fhir_samples as made
import pytest
from fhir_incoming import codes, read, whole_text

from assistant.interop.fhir.incoming import (
    read_resources,
)


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
