"""The case form: ages, texts and pasted stays, read or refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.record.encounter import Encounter
from assistant.ui.case_form import (
    FormError,
    age_in_years,
    case_values,
    read_case,
    read_encounter,
)
from assistant.ui.strings import Text

ZH = Text("zh")


@pytest.mark.parametrize(
    ("text", "years"),
    [("58岁", 58), ("58", 58), ("3岁1月", 3 + 1 / 12), ("8个月", 8 / 12), ("", None)],
)
def test_ages_as_they_are_written(text: str, years: float | None) -> None:
    assert age_in_years(text) == (None if years is None else pytest.approx(years))


@given(st.text(max_size=20))
def test_any_age_is_read_or_refused(text: str) -> None:
    try:
        years = age_in_years(text)
    except ValueError:
        return
    assert years is None or years >= 0


def form(**values: str) -> dict[str, str]:
    empty = dict.fromkeys(
        (
            "name",
            "sex",
            "age",
            "patient_id",
            "encounter_id",
            "chief_complaint",
            "present_illness",
            "past_history",
            "examination",
            "tests",
            "text",
        ),
        "",
    )
    return {**empty, "patient_id": "p1", "encounter_id": "e1", "text": "头痛", **values}


def test_the_form_becomes_a_case() -> None:
    case = read_case(form(age="58", sex="male"), ZH)
    assert case.patient.age_text == "58岁"
    assert case.patient.age_years == 58
    assert case.patient.sex == "male"


@pytest.mark.parametrize(
    "values",
    [{"text": "  "}, {"age": "很老"}, {"age": "999岁"}, {"patient_id": "张三"}, {"sex": "x"}],
)
def test_a_bad_form_is_refused_with_a_sentence(values: dict[str, str]) -> None:
    with pytest.raises(FormError, match=r"[\u4e00-\u9fff]"):
        read_case(form(**values), ZH)


@given(st.text(max_size=60) | st.text(max_size=40).map(lambda s: "{" + s))
def test_any_pasted_stay_is_opened_or_refused(text: str) -> None:
    try:
        encounter = read_encounter(text, ("", ""), ZH, Encounter)
    except FormError:
        return
    assert encounter.notes[0].text


@pytest.mark.parametrize(
    "text", ['{"encounter": 3}', '{"encounter": null}', "{}", '{"id": ', '{"a":' * 5_000]
)
def test_json_that_is_no_stay_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(FormError, match="住院数据不符合格式"):
        read_encounter(text, ("", ""), ZH, Encounter)


def test_a_case_goes_back_into_the_form_as_it_came() -> None:
    values = form(name="某甲", age="3岁1月", sex="female", chief_complaint="咳嗽3天")
    assert case_values(read_case(values, ZH)) == values


def test_a_patient_without_ids_is_given_new_ones() -> None:
    first = read_case(form(patient_id="", encounter_id=" "), ZH)
    second = read_case(form(patient_id="", encounter_id=""), ZH)
    assert first.patient.id.startswith("pat-")
    assert (first.patient.id, first.encounter_id) != (second.patient.id, second.encounter_id)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"encounter_id": ""}, "就诊编号：必填"),
        ({"chief_complaint": "痛" * 2_001}, "主诉：超过 2000 字"),
        ({"patient_id": "张三"}, "患者编号：编号只能用字母"),
    ],
)
def test_a_refusal_names_the_field_by_its_label(values: dict[str, str], said: str) -> None:
    with pytest.raises(FormError, match=said):
        read_case(form(**values), ZH)


def test_a_pasted_text_belongs_to_the_patient_that_was_named() -> None:
    stay = read_encounter("患者咳嗽3天。", ("pat-7", "enc-7"), ZH, Encounter)
    assert (stay.patient.id, stay.id) == ("pat-7", "enc-7")
    with pytest.raises(FormError, match="都填"):
        read_encounter("患者咳嗽3天。", ("pat-7", ""), ZH, Encounter)
