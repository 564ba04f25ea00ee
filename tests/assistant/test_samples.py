"""The shipped samples are complete, consistent with themselves and about different patients."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "assistant" / "samples"
ENCOUNTER_FILES = sorted((SAMPLES / "encounters").glob("*.json"))
CASE_FILES = sorted((SAMPLES / "cases").glob("*.json"))
GROUNDING = ROOT / "tests" / "data" / "grounding_cases.json"

PATIENT_KEYS = {"id", "name", "sex", "birth_date", "age_text"}
ENCOUNTER_KEYS = {
    "id", "patient", "department", "admitted_at", "discharged_at", "ward", "bed", "diagnoses",
    "notes", "observations", "orders", "medications", "operations",
}  # fmt: skip
ROW_KEYS = {
    "diagnoses": {"kind", "name", "icd10", "primary"},
    "notes": {"id", "kind", "title", "written_at", "author", "text"},
    "observations": {"id", "name", "value", "unit", "reference", "flag", "at", "status"},
    "orders": {"id", "kind", "text", "ordered_at", "status"},
    "medications": {
        "id", "name", "specification", "dose", "route", "frequency", "days", "start", "stop",
        "discharge",
    },
    "operations": {"id", "name", "at", "laterality", "note_id"},
}  # fmt: skip
CASE_TEXTS = ("chief_complaint", "present_illness", "past_history", "examination", "tests")
CASE_KEYS = {"id", "title_zh", "title_en", "patient", "encounter_id", *CASE_TEXTS}
NOTE_KINDS = {
    "admission", "first_progress", "progress", "operation", "consultation", "discharge_day",
    "nursing",
}  # fmt: skip
ERRORS = {
    "number", "unit", "date", "drug", "dose", "laterality", "negation", "earlier_stay", "invented",
    "wrong_patient",
}  # fmt: skip
ICD10 = re.compile(r"[A-Z]\d{2}(\.\d)?")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f\ufeff\ufffd]")


def load(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


encounters = pytest.mark.parametrize("path", ENCOUNTER_FILES, ids=lambda path: path.stem)
cases = pytest.mark.parametrize("path", CASE_FILES, ids=lambda path: path.stem)


def months_between(birth: date, day: date) -> int:
    return (day.year - birth.year) * 12 + day.month - birth.month - (day.day < birth.day)


def age_in_words(birth: date, day: date) -> str:
    """Whole years from six years on, years and months (as a paediatric ward writes) before."""
    years, months = divmod(months_between(birth, day), 12)
    return f"{years}岁{months}月" if years < 6 and months else f"{years}岁"


def expected_flag(value: str, reference: str) -> str | None:
    """The flag of a numeric result against ``a-b`` (inclusive), ``<a`` or ``>a``; else None."""
    try:
        number = float(value)
    except ValueError:
        return None
    if bounds := re.fullmatch(r"([\d.]+)-([\d.]+)", reference):
        low, high = float(bounds[1]), float(bounds[2])
        return "low" if number < low else "high" if number > high else "normal"
    if limit := re.fullmatch(r"([<>])([\d.]+)", reference):
        bound = float(limit[2])
        if limit[1] == "<":
            return "normal" if number < bound else "high"
        return "normal" if number > bound else "low"
    return None


def texts_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return []


def test_counts() -> None:
    assert len(ENCOUNTER_FILES) == 10
    assert len(CASE_FILES) == 8


@encounters
def test_encounter_shape(path: Path) -> None:
    encounter = load(path)
    assert set(encounter) == ENCOUNTER_KEYS
    assert set(encounter["patient"]) == PATIENT_KEYS
    assert encounter["patient"]["sex"] in {"male", "female"}
    for field, keys in ROW_KEYS.items():
        for row in encounter[field]:
            assert set(row) == keys
    rows = [row for field in ROW_KEYS if field != "diagnoses" for row in encounter[field]]
    assert len({row["id"] for row in rows}) == len(rows)


@encounters
def test_encounter_vocabulary(path: Path) -> None:
    encounter = load(path)
    for kind in ("admission", "discharge"):
        rows = [row for row in encounter["diagnoses"] if row["kind"] == kind]
        assert sum(row["primary"] for row in rows) == 1
    assert {row["kind"] for row in encounter["diagnoses"]} == {"admission", "discharge"}
    for row in encounter["diagnoses"]:
        assert row["icd10"] is None or ICD10.fullmatch(row["icd10"])
    for order in encounter["orders"]:
        assert order["kind"] in {"test", "imaging", "nursing", "diet", "other"}
        assert order["status"] in {"active", "completed", "stopped", "pending"}
    note_ids = {note["id"]: note["kind"] for note in encounter["notes"]}
    for operation in encounter["operations"]:
        assert operation["laterality"] in {"left", "right", None}
        assert note_ids[operation["note_id"]] == "operation"


@encounters
def test_notes_are_complete_and_in_order(path: Path) -> None:
    notes = load(path)["notes"]
    assert 5 <= len(notes) <= 8
    kinds = Counter(note["kind"] for note in notes)
    assert set(kinds) <= NOTE_KINDS
    assert kinds["admission"] == kinds["discharge_day"] == 1
    assert notes[0]["kind"] == "admission"
    assert len(notes[0]["text"]) >= 500
    assert notes[0]["text"].startswith("主诉：")
    for heading in ("现病史：", "既往史：", "体格检查：", "辅助检查："):
        assert f"\n{heading}" in notes[0]["text"]
    for note in notes:
        if note["kind"] == "progress":
            assert 80 <= len(note["text"]) <= 250
    written = [note["written_at"] for note in notes]
    assert written == sorted(written)


@encounters
def test_dates_lie_within_the_stay(path: Path) -> None:
    encounter = load(path)
    admitted = datetime.fromisoformat(encounter["admitted_at"])
    discharged = datetime.fromisoformat(encounter["discharged_at"])
    assert admitted < discharged
    for note in encounter["notes"]:
        assert admitted <= datetime.fromisoformat(note["written_at"]) <= discharged
    for operation in encounter["operations"]:
        assert admitted <= datetime.fromisoformat(operation["at"]) <= discharged
    # Emergency and outpatient results of the day of admission belong to the stay.
    times = [row["at"] for row in encounter["observations"]]
    times += [row["ordered_at"] for row in encounter["orders"]]
    for time in times:
        moment = datetime.fromisoformat(time)
        assert admitted.date() <= moment.date()
        assert moment <= discharged


@encounters
def test_medication_days_and_dates(path: Path) -> None:
    encounter = load(path)
    admitted = datetime.fromisoformat(encounter["admitted_at"]).date()
    discharged = datetime.fromisoformat(encounter["discharged_at"]).date()
    medications = encounter["medications"]
    assert any(row["discharge"] for row in medications)
    assert any(not row["discharge"] for row in medications)
    for row in medications:
        assert all(row[key] for key in ("name", "specification", "dose", "route", "frequency"))
        start, stop = date.fromisoformat(row["start"]), date.fromisoformat(row["stop"])
        assert (stop - start).days + 1 == row["days"]
        if row["discharge"]:
            assert start == discharged
        else:
            assert admitted <= start <= stop <= discharged


@encounters
def test_results_carry_the_flag_of_their_reference(path: Path) -> None:
    observations = load(path)["observations"]
    assert 8 <= len(observations) <= 20
    for row in observations:
        assert row["status"] in {"final", "pending"}
        assert (row["value"] == "") == (row["status"] == "pending")
        assert row["flag"] == expected_flag(row["value"], row["reference"])


@encounters
def test_age_fits_the_birth_date(path: Path) -> None:
    encounter = load(path)
    patient = encounter["patient"]
    admitted = datetime.fromisoformat(encounter["admitted_at"]).date()
    assert patient["age_text"] == age_in_words(date.fromisoformat(patient["birth_date"]), admitted)


@encounters
def test_notes_agree_on_age(path: Path) -> None:
    """An age that a note gives for the patient is the age on record."""
    encounter = load(path)
    first = next(note for note in encounter["notes"] if note["kind"] == "first_progress")
    ages = re.findall(r"[男女]性(?:幼儿)?，(\d+岁(?:\d+月)?)", first["text"])
    assert ages == [encounter["patient"]["age_text"]]


@encounters
def test_no_medication_is_given_twice_on_one_day(path: Path) -> None:
    """The same drug is never given twice on one day in the same way."""
    seen: set[tuple[str, str, str, date]] = set()
    for row in load(path)["medications"]:
        for offset in range(row["days"]):
            day = date.fromordinal(date.fromisoformat(row["start"]).toordinal() + offset)
            key = (row["name"], row["route"], row["frequency"], day)
            assert key not in seen
            seen.add(key)


@cases
def test_case_shape_and_age(path: Path) -> None:
    case = load(path)
    assert set(case) == CASE_KEYS
    assert set(case["patient"]) == PATIENT_KEYS
    for field in CASE_TEXTS:
        assert 15 <= len(case[field]) <= 250
    visit = re.search(r"就诊日期(\d{4}-\d{2}-\d{2})", case["present_illness"])
    assert visit is not None
    birth = date.fromisoformat(case["patient"]["birth_date"])
    assert case["patient"]["age_text"] == age_in_words(birth, date.fromisoformat(visit[1]))


@pytest.mark.parametrize("path", ENCOUNTER_FILES + CASE_FILES, ids=lambda path: path.stem)
def test_texts_are_clean(path: Path) -> None:
    for text in texts_of(load(path)):
        assert not CONTROL.search(text)
        assert text == text.strip()


def test_ids_are_unique_across_samples() -> None:
    samples = [load(path) for path in ENCOUNTER_FILES + CASE_FILES]
    assert len({sample["id"] for sample in samples}) == len(samples)
    assert len({sample["patient"]["id"] for sample in samples}) == len(samples)
    assert len({sample["patient"]["name"] for sample in samples}) == len(samples)
    visits = [sample.get("encounter_id", sample["id"]) for sample in samples]
    assert len(set(visits)) == len(visits)


def test_real_gaps_are_left() -> None:
    ulcer = load(SAMPLES / "encounters" / "duodenal-ulcer-bleeding.json")
    assert not any("过敏" in note["text"] for note in ulcer["notes"])
    gallbladder = load(SAMPLES / "encounters" / "cholecystectomy-laparoscopic.json")
    assert not re.search(r"T \d|BP \d", gallbladder["notes"][-1]["text"])
    colon = load(SAMPLES / "encounters" / "colorectal-chemo-cycle4.json")
    assert not any("家族史" in note["text"] for note in colon["notes"])
    pending = [
        path.stem
        for path in ENCOUNTER_FILES
        if any(row["status"] == "pending" for row in load(path)["observations"])
    ]
    assert len(pending) >= 5


def test_grounding_pairs() -> None:
    pairs = json.loads(GROUNDING.read_text(encoding="utf-8"))
    assert len(pairs) == 60
    stems = Counter(pair["encounter"] for pair in pairs)
    assert set(stems) == {path.stem for path in ENCOUNTER_FILES}
    assert sum(pair["supported"] for pair in pairs) == 30
    assert len({pair["statement"] for pair in pairs}) == 60
    for pair in pairs:
        assert set(pair) == {"encounter", "statement", "supported", "error"}
        assert (pair["error"] is None) == pair["supported"]
    assert {pair["error"] for pair in pairs if not pair["supported"]} == ERRORS


QUANTITY = re.compile(r"\d{4}-\d{2}-\d{2}|\d+(?:\.\d+)?[A-Za-zμ×%枚/^]+")


def test_quantities_of_grounding_pairs() -> None:
    """A supported pair quotes the record; a wrong number or unit is nowhere in it."""
    for pair in json.loads(GROUNDING.read_text(encoding="utf-8")):
        record = " ".join(texts_of(load(SAMPLES / "encounters" / f"{pair['encounter']}.json")))
        quantities = QUANTITY.findall(pair["statement"])
        if pair["supported"]:
            assert [q for q in quantities if q not in record] == []
        elif pair["error"] in {"number", "unit"}:
            assert any(q not in record for q in quantities)
