"""Observations as rows of the record."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import fhir_samples as made
import pytest
from fhir_incoming import codes, read, whole_text


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
