"""FHIR R4 resources in, one encounter of the record out."""

from __future__ import annotations

import copy
import json
from typing import Any

import fhir_samples as made
import pytest
from fhir_incoming import codes, read
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.interop.fhir.incoming import (
    IncomingRefused,
    encounter_from_bundle,
    read_resources,
)


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
