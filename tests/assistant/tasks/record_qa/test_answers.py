"""What a doctor gets to see for the frequent questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.draft import RecordAnswer

Ask = Callable[..., RecordAnswer]


def first(answer: RecordAnswer) -> str:
    return answer.statements[0].text


def test_a_trend_has_numbers_days_a_table_and_a_plot(said: Ask) -> None:
    answer = said("近三次血钾趋势？")
    for word in ("3.2", "4.4", "3.9", "3月4日"):
        assert word in first(answer)
    assert [row.cells[1] for row in answer.tables[0].rows] == [
        "3.2mmol/L", "4.4mmol/L", "3.9mmol/L",
    ]  # fmt: skip
    assert answer.plot is not None
    assert answer.plot.svg.count("<circle") == 3
    assert "4.4" in answer.plot.alt


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("血钾最高多少，哪天？", ["4.4mmol/L", "3月4日"]),
        ("血钾最低？", ["3.2mmol/L", "3月2日"]),
        ("入院时肌酐多少", ["132"]),
        ("现在血钾多少", ["3.9"]),
        ("上一次血钾", ["4.4"]),
        ("第二次血钾是多少", ["4.4"]),
        ("3月4日血钾", ["4.4"]),
        ("肌酐降了多少", ["132", "96", "下降 36μmol/L"]),
    ],
)
def test_values(said: Ask, question: str, words: list[str]) -> None:
    answer = said(question)
    assert answer.outcome == "answered"
    for word in words:
        assert word in first(answer)


def test_another_patients_value_in_a_note_is_not_the_highest(said: Ask) -> None:
    assert "6.9" not in said("血钾最高多少").plain_text()
    assert "6.9" not in said("近几次血钾").plain_text()


def test_a_day_without_a_result_says_so_and_gives_the_nearest(said: Ask) -> None:
    answer = said("3月8日血钾多少")
    assert answer.outcome == "not_recorded"
    assert "3月8日没有" in answer.message
    assert "最接近" in first(answer)


def test_antibiotics_with_the_days_of_each(said: Ask) -> None:
    answer = said("入院后用过哪些抗生素，各几天？")
    assert "头孢曲松" in first(answer)
    assert "共 6 天" in first(answer)
    assert any("出院带药：左氧氟沙星片" in s.text for s in answer.statements)


def test_a_dose_on_a_day_is_only_told_while_it_was_ordered(said: Ask) -> None:
    assert "2.0g" in first(said("3月5日头孢曲松剂量多少"))
    gone = said("3月9日头孢曲松剂量多少")
    assert gone.outcome == "not_recorded"
    assert not gone.statements


def test_a_denial_is_said_to_be_one(said: Ask) -> None:
    answer = said("有没有糖尿病？")
    assert "否认" in answer.message
    assert first(answer).startswith("否认——")


def test_a_relatives_illness_is_not_the_patients(said: Ask) -> None:
    answer = said("有没有乳腺癌")
    assert "未记载患者本人有" in answer.message
    assert first(answer).startswith("家属或他人——")


def test_a_general_denial_of_allergies_is_not_one_of_penicillin(said: Ask) -> None:
    answer = said("有没有提到过青霉素过敏？")
    assert "未单独提到青霉素过敏" in answer.message
    assert "否认药物、食物过敏史" in first(answer)


def test_a_procedure_that_is_only_planned_is_not_told_as_done(said: Ask) -> None:
    stay = said("胆囊切除术做过吗")
    assert any(s.text.startswith("既往有——") for s in stay.statements)


@pytest.mark.parametrize("question", ["血氨多少", "促甲状腺激素最高多少", "有没有过癫痫发作"])
def test_what_the_record_does_not_say_has_no_value(said: Ask, question: str) -> None:
    answer = said(question)
    assert answer.outcome == "not_recorded"
    assert not answer.statements


def test_pending_results_and_who_wrote(said: Ask) -> None:
    assert "尿培养" in first(said("还有哪些结果没出来？"))
    assert "宗明达" in said("入院记录谁写的").message


def test_a_calculation_shows_inputs_source_and_places(said: Ask) -> None:
    answer = said("目前eGFR多少？")
    assert "CKD-EPI 2021" in first(answer)
    assert "96μmol/L" in first(answer)
    assert any(e.kind == "span" and "96" in e.quote for e in answer.statements[0].evidence)


def test_what_a_calculation_lacks_is_named(said: Ask) -> None:
    answer = said("算一下肌酐清除率")
    assert answer.outcome == "missing"
    assert "体重" in answer.message


def test_whether_a_drug_may_be_given_is_left_to_the_doctor(said: Ask) -> None:
    answer = said("能用二甲双胍吗？")
    assert "由医师" in answer.message
    assert any("eGFR<30" in s.text for s in answer.statements)


def test_an_answer_never_supports_without_a_place_and_quotes_are_in_the_record(
    said: Ask, stay: dict[str, Any]
) -> None:
    notes = {n.id: n.text for n in Encounter.model_validate(stay).all_notes()}
    for question in (
        "近三次血钾趋势？", "用过哪些抗生素", "有没有糖尿病", "过敏史", "出院诊断", "eGFR",
        "有哪些异常", "还有哪些结果没出来", "体温正常了吗", "既往有什么病", "手术史", "能用头孢吗",
    ):  # fmt: skip
        answer = said(question)
        for statement in answer.statements:
            assert statement.evidence or statement.status == "unsupported"
        for span in answer.spans():
            assert isinstance(span, TextSpan)
            assert notes[span.note_id][span.start : span.end] == span.quote
