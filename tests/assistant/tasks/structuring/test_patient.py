"""Many notes of one patient: timeline, problems, FHIR, CSV."""

from __future__ import annotations

import csv
import io
import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.export import COLUMNS, entities_csv, quantity, table_csv
from assistant.tasks.structuring.features import extract_features, new_table
from assistant.tasks.structuring.fhir import bundle
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.patient import PatientView, patient_view
from assistant.tasks.structuring.pipeline import Structurer, is_another
from assistant.tasks.structuring.template import load_template
from knowledge.base import KnowledgeBase

ADMISSION = (
    "发热、咳嗽3天，无胸痛。既往高血压10年，否认糖尿病。青霉素过敏。父亲患肺癌。"
    "2020年行胆囊切除术。入院查血钾3.1mmol/L↓，血压150/95mmHg。考虑肺炎可能。"
)
LATER = (
    "诊断：肺炎。予头孢曲松2g静滴qd。复查血钾4.2mmol/L（参考值3.5-5.5）。"
    "如出现呼吸衰竭，转ICU。未行支气管镜。"
)


@pytest.fixture(scope="module")
def notes(knowledge: KnowledgeBase) -> list[StructuredNote]:
    structurer = Structurer(knowledge)
    day = datetime(2024, 3, 5, 9, tzinfo=UTC)
    return [
        structurer.structure(NoteText("n2", LATER, written_at=day.replace(day=8))),
        structurer.structure(NoteText("n1", ADMISSION, written_at=day, admitted_on=day.date())),
    ]


@pytest.fixture(scope="module")
def view(notes: list[StructuredNote]) -> PatientView:
    return patient_view("pat-1", notes)


def test_the_problem_list(view: PatientView) -> None:
    by_text = {p.places[0].text: p for p in view.problems}
    pneumonia = by_text["肺炎"]
    assert (pneumonia.status, len(pneumonia.places)) == ("active", 2)
    assert [p.note_id for p in pneumonia.places] == ["n1", "n2"]
    assert by_text["高血压"].status == "past"
    assert by_text["高血压"].since == "10年"
    assert by_text["糖尿病"].status == "denied"
    assert "肺癌" not in by_text
    assert [p.places[0].text for p in view.family] == ["肺癌"]
    assert "呼吸衰竭" not in by_text


def test_the_timeline_goes_by_date(view: PatientView) -> None:
    dated = [(e.date, e.text) for e in view.timeline if e.date]
    assert dated == sorted(dated, key=lambda pair: pair[0])
    assert ("2020", "胆囊切除术") in dated
    assert ("2024-03-02", "发热") in dated or ("2024-03-05", "发热") in dated
    assert all(text not in ("胸痛", "支气管镜") for _, text in dated)


def test_results_over_time(view: PatientView) -> None:
    series = view.results["血钾"]
    assert [(p.date, p.value, p.flag) for p in series] == [
        ("2024-03-05", "3.1", "low"),
        ("2024-03-08", "4.2", "normal"),
    ]


def test_a_sign_before_a_number_stays_with_it(knowledge: KnowledgeBase) -> None:
    note = Structurer(knowledge).structure(NoteText("n", "降钙素原<0.01ng/mL。"))
    (point,) = (p for points in patient_view("p", [note]).results.values() for p in points)
    assert (point.comparator, point.value, point.unit) == ("<", "0.01", "ng/mL")
    assert quantity(point) == "<0.01ng/mL"


def test_a_contradiction_is_said(knowledge: KnowledgeBase) -> None:
    structurer = Structurer(knowledge)
    pair = [
        structurer.structure(NoteText("a", "既往有糖尿病。", written_at=datetime(2024, 1, 1))),
        structurer.structure(NoteText("b", "否认糖尿病。", written_at=datetime(2024, 2, 1))),
    ]
    (problem,) = patient_view("p", pair).problems
    assert problem.conflicting
    assert problem.status == "denied"


# -- FHIR ------------------------------------------------------------------------------------------

REQUIRED = {
    "Condition": {"code", "subject", "clinicalStatus", "verificationStatus"},
    "Observation": {"status", "code", "subject"},
    "Procedure": {"status", "code", "subject"},
    "MedicationStatement": {"status", "medicationCodeableConcept", "subject"},
    "AllergyIntolerance": {"clinicalStatus", "verificationStatus", "code", "patient"},
}
CODES = {
    "Observation": {"preliminary", "final"},
    "Procedure": {"completed", "not-done"},
    "MedicationStatement": {"active", "completed", "not-taken", "intended"},
}
DATE = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


def resources(notes: list[StructuredNote]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle("pat_1:x", notes)["entry"]]


def test_the_bundle_has_the_shape_of_fhir_r4(notes: list[StructuredNote]) -> None:
    made = bundle("pat_1:x", notes)
    assert json.loads(json.dumps(made)) == made
    assert (made["resourceType"], made["type"]) == ("Bundle", "collection")
    urls = [entry["fullUrl"] for entry in made["entry"]]
    assert len(set(urls)) == len(urls)
    patient = made["entry"][0]["resource"]
    assert patient["identifier"] == [{"value": "pat_1:x"}]
    for entry in made["entry"]:
        resource = entry["resource"]
        assert entry["fullUrl"] == f"urn:uuid:{uuid.UUID(resource['id'])}"
        kind = resource["resourceType"]
        if kind == "Patient":
            continue
        assert REQUIRED[kind] <= resource.keys()
        whose = "patient" if kind == "AllergyIntolerance" else "subject"
        assert resource[whose]["reference"] == made["entry"][0]["fullUrl"]
        assert resource.get("status") in CODES.get(kind, {None})
        for key in ("effectiveDateTime", "onsetDateTime", "recordedDate", "performedDateTime"):
            assert key not in resource or DATE.fullmatch(resource[key])
        if kind == "Observation":
            assert sum(k.startswith("value") for k in resource) + ("component" in resource) == 1
    assert bundle("pat_1:x", notes) == made


def test_what_is_denied_is_never_a_condition(notes: list[StructuredNote]) -> None:
    found = resources(notes)
    conditions = [r for r in found if r["resourceType"] == "Condition"]
    named = {r["code"]["text"] for r in conditions}
    assert {"高血压", "肺炎"} <= named
    assert {"糖尿病", "胸痛", "肺癌", "呼吸衰竭"}.isdisjoint(named)
    denied = [r for r in found if r.get("valueBoolean") is False]
    assert {"糖尿病", "胸痛"} <= {r["code"]["text"] for r in denied}
    status = {
        (r["code"]["text"], r["clinicalStatus"]["coding"][0]["code"],
         r["verificationStatus"]["coding"][0]["code"])
        for r in conditions
    }  # fmt: skip
    assert ("高血压", "active", "confirmed") in status
    assert ("肺炎", "active", "provisional") in status
    assert ("肺炎", "active", "confirmed") in status


def test_results_procedures_and_medication(notes: list[StructuredNote]) -> None:
    found = resources(notes)
    potassium = [r for r in found if r.get("code", {}).get("text") == "血钾"]
    low = next(r for r in potassium if r["valueQuantity"]["value"] == 3.1)
    assert low["valueQuantity"]["code"] == "mmol/L"
    assert low["interpretation"][0]["coding"][0]["code"] == "L"
    normal = next(r for r in potassium if r["valueQuantity"]["value"] == 4.2)
    assert normal["referenceRange"][0]["low"]["value"] == 3.5
    pressure = next(r for r in found if "component" in r)
    assert [c["valueQuantity"]["value"] for c in pressure["component"]] == [150, 95]
    procedures = {r["code"]["text"]: r["status"] for r in found if r["resourceType"] == "Procedure"}
    assert procedures["胆囊切除术"] == "completed"
    assert procedures["支气管镜"] == "not-done"
    drugs = [r for r in found if r["resourceType"] == "MedicationStatement"]
    (drug,) = drugs
    assert drug["medicationCodeableConcept"]["text"] == "头孢曲松"
    assert drug["dosage"][0]["text"] == "2g 静滴 qd"


# -- CSV -------------------------------------------------------------------------------------------


def test_entities_as_csv(notes: list[StructuredNote]) -> None:
    parsed = list(csv.DictReader(io.StringIO(entities_csv(notes))))
    assert tuple(parsed[0]) == COLUMNS
    assert len(parsed) == sum(len(note.entities) for note in notes)
    row = next(r for r in parsed if r["text"] == "胸痛")
    assert row["polarity"] == "absent"
    assert ADMISSION[int(row["start"]) : int(row["end"])] == "胸痛"


@pytest.mark.parametrize(("words", "size"), [("约8mm", "8mm"), ("<8mm", "<8mm"), ("≥8mm", ">=8mm")])
def test_a_table_as_csv_points_to_its_evidence(words: str, size: str) -> None:
    text = f"右肺上叶见结节，大小{words}。"
    table = new_table(load_template("chest-ct"))
    table.rows += extract_features(text, "=cmd()", load_template("chest-ct"))
    (row,) = csv.DictReader(io.StringIO(table_csv(table)))
    assert row["size"] == size
    start, end = map(int, row["size_span"].split("-"))
    assert text[start:end] == words.lstrip("约")
    assert row["note_id"] == "'=cmd()"


def test_an_allergy_is_listed_once_and_is_no_problem() -> None:
    text = "既往史：青霉素过敏，高血压10年。花粉过敏。"
    view = patient_view("p1", [Structurer(None).structure(NoteText("n", text))])
    assert [one.text for one in view.allergies] in (["青霉素"], ["青霉素", "花粉过敏"])
    assert not any("过敏" in one.name for one in view.problems)


def test_a_drug_that_is_not_borne_is_an_allergy_and_no_medication() -> None:
    note = Structurer(None).structure(
        NoteText("n", "青霉素过敏，予阿司匹林。", written_at=datetime(2024, 3, 5, tzinfo=UTC))
    )
    resources = [entry["resource"] for entry in bundle("p1", [note])["entry"]]
    (allergy,) = (r for r in resources if r["resourceType"] == "AllergyIntolerance")
    assert allergy["code"]["text"] == "青霉素"
    assert allergy["patient"] == {"reference": f"urn:uuid:{resources[0]['id']}"}
    assert allergy["recordedDate"] == "2024-03-05"
    assert "subject" not in allergy
    drugs = [r for r in resources if r["resourceType"] == "MedicationStatement"]
    assert [r["medicationCodeableConcept"]["text"] for r in drugs] == ["阿司匹林"]


def of(text: str, knowledge: KnowledgeBase, **about: Any) -> list[StructuredNote]:
    return [Structurer(knowledge).structure(NoteText("n", text, **about))]


DAY = datetime(2024, 3, 10, 9, tzinfo=UTC)


def test_what_is_over_has_not_the_date_of_the_note(knowledge: KnowledgeBase) -> None:
    text = "既往行胆囊切除术。咳嗽消失。"
    resources = [e["resource"] for e in bundle("p", of(text, knowledge, written_at=DAY))["entry"]]
    (operation,) = [r for r in resources if r["resourceType"] == "Procedure"]
    assert "performedDateTime" not in operation
    (cough,) = [r for r in resources if r.get("code", {}).get("text") == "咳嗽"]
    assert cough["valueBoolean"] is True
    assert "effectiveDateTime" not in cough


def test_an_intolerance_is_no_condition(knowledge: KnowledgeBase) -> None:
    notes = of("碘造影剂过敏。青霉素过敏史。", knowledge)
    entry = bundle("p", notes)["entry"]
    kinds = [
        (e["resource"]["resourceType"], e["resource"].get("code", {}).get("text")) for e in entry
    ]
    assert ("AllergyIntolerance", "碘造影剂过敏") in kinds
    assert ("AllergyIntolerance", "青霉素") in kinds
    assert "Condition" not in dict(kinds)
    rows = list(csv.DictReader(io.StringIO(entities_csv(notes))))
    assert {row["text"] for row in rows if row["allergen"] == "True"} >= {"碘造影剂过敏", "青霉素"}


def test_a_suspicion_is_one_on_the_timeline_too(knowledge: KnowledgeBase) -> None:
    (event,) = patient_view("p", of("考虑肺炎可能。", knowledge)).timeline
    assert event.certainty == "uncertain"


def test_a_progress_note_counts_from_its_own_day(knowledge: KnowledgeBase) -> None:
    admitted = DAY.replace(day=1).date()
    for day, when in ((10, "2024-03-07"), (1, "2024-02-27"), (2, "2024-02-27")):
        (note,) = of(
            "3天前出现腹泻。", knowledge, written_at=DAY.replace(day=day), admitted_on=admitted
        )
        assert [e.time.value for e in note.entities if e.time] == [when]


def test_what_makes_a_diagnosis_another_gets_no_code() -> None:
    assert is_another("慢性非萎缩性胃炎", "慢性萎缩性胃炎")
    assert is_another("脑梗死后遗症", "脑梗死")
    assert is_another("急性阑尾炎术后", "急性阑尾炎")
    assert not is_another("非小细胞肺癌", "肺恶性肿瘤")
    assert not is_another("肺癌术后", "肺恶性肿瘤")
    assert not is_another("脑梗死后遗症", "脑梗死后遗症")


def test_a_drug_that_was_stopped_treats_nothing(knowledge: KnowledgeBase) -> None:
    def treated(text: str) -> list[str]:
        (note,) = of(text, knowledge)
        return [r.object.text for r in note.relations if r.predicate == "药物治疗"]

    assert treated("高血压，口服氨氯地平。") == ["氨氯地平"]
    assert treated("高血压，已停用氨氯地平。") == []
