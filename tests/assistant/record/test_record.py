"""What a record accepts, and the ages, days and tables that it gives."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.record.patient import Patient, age_in_words
from assistant.tasks.discharge.copied import header


def encounter(**fields: Any) -> Encounter:
    return Encounter.model_validate({"id": "e", "patient": {"id": "p"}, **fields})


@pytest.mark.parametrize(
    ("birth", "when", "words"),
    [
        (date(2025, 9, 20), date(2026, 3, 2), "5个月"),
        (date(1961, 7, 1), date(2026, 3, 2), "64岁"),
        (date(1961, 3, 2), date(2026, 3, 2), "65岁"),
        (date(2024, 7, 2), date(2026, 3, 2), "1岁8个月"),
        (date(2024, 3, 2), date(2026, 3, 2), "2岁"),
        (date(2026, 2, 20), date(2026, 3, 2), "10天"),
        (date(2026, 3, 2), date(2026, 3, 2), "0天"),
        (date(2020, 2, 29), date(2026, 2, 28), "5岁"),
        (date(2026, 3, 3), date(2026, 3, 2), ""),
        (date(1, 1, 1), date(2026, 3, 2), ""),
    ],
)
def test_age_in_words(birth: date, when: date, words: str) -> None:
    assert age_in_words(birth, when) == words


@given(st.dates(date(1920, 1, 1), date(2030, 12, 31)), st.integers(0, 36_000))
def test_age_is_the_completed_years(birth: date, days: int) -> None:
    when = date.fromordinal(birth.toordinal() + days)
    years = when.year - birth.year - ((when.month, when.day) < (birth.month, birth.day))
    age = Patient(id="p", birth_date=birth).age_at(when)
    assert age is not None
    assert int(age) == years
    if years >= 3:
        assert age_in_words(birth, when) == f"{years}岁"


def test_the_age_of_a_patient_without_birth_date() -> None:
    when = date(2026, 3, 2)
    assert Patient(id="p", age_years=64.6).age_words(when) == "64岁"
    assert Patient(id="p", age_years=0.5).age_words(when) == "6个月"
    assert Patient(id="p", age_text="约70岁", age_years=64).age_words(when) == "约70岁"
    assert Patient(id="p").age_words(when) == ""


def test_a_discharge_before_the_admission_is_refused() -> None:
    with pytest.raises(ValidationError, match="出院时间早于入院时间"):
        encounter(admitted_at="2026-03-06T08:00:00", discharged_at="2026-03-02T08:00:00")
    with pytest.raises(ValidationError, match="出院时间早于入院时间"):
        encounter(admitted_at="2026-03-02T20:00:00Z", discharged_at="2026-03-02T23:00:00")


def test_an_instant_is_a_day_in_china() -> None:
    stay = encounter(admitted_at="2026-03-02T20:00:00Z", discharged_at="2026-03-06T09:00:00")
    found = header(stay)
    assert found.admitted_on == "2026年3月3日"
    assert found.days_in_hospital == "3天"
    assert Encounter.model_validate_json(stay.model_dump_json()) == stay


@pytest.mark.parametrize(
    "note",
    [
        {"id": "table:diagnoses", "text": "出院诊断：健康"},
        {"id": "n", "kind": "structured", "text": "x"},
    ],
)
def test_reserved_notes_are_refused(note: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="reserved"):
        encounter(notes=[note])


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        ("diagnoses", {"name": ""}),
        ("observations", {"id": "o", "name": ""}),
        ("orders", {"id": "o", "text": " "}),
        ("medications", {"id": "m", "name": "\n"}),
        ("operations", {"id": "o", "name": ""}),
    ],
)
def test_a_row_without_a_name_is_refused(rows: str, row: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        encounter(**{rows: [row]})


def test_long_tables_are_kept_whole() -> None:
    row = {"name": "名" * 500, "value": "1" * 500}
    stay = encounter(observations=[{"id": f"o{n}", **row} for n in range(400)])
    (table,) = stay.all_notes()
    assert table.id == "table:observations"
    assert len(table.text) > 200_000
    assert isinstance(table, Note)
    assert table.model_dump()["written_at"] is None


@pytest.mark.parametrize("birth", [date(2026, 3, 3), date(1, 1, 1), date(9999, 12, 31)])
def test_an_impossible_day_of_birth_tells_no_age(birth: date) -> None:
    patient = Patient(id="p", birth_date=birth)
    assert patient.age_at(date(2026, 3, 2)) is None
    assert patient.age_words(date(2026, 3, 2)) == ""


@pytest.mark.parametrize(
    "wrong",
    [
        {"admitted_at": "2026-02-30T08:00:00"},
        {"admitted_at": "2026-13-01T08:00:00"},
        {"admitted_at": "2026-03-01T25:00:00"},
        {"patient": {"id": "p", "birth_date": "2026-02-30"}},
    ],
)
def test_moments_of_no_calendar_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        encounter(**wrong)
