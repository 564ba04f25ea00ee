"""What tired doctors type: two questions in a line, short words, why, and what a note says."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from assistant.record.encounter import Encounter
from assistant.tasks.record_qa.abbreviations import written_out
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.several import questions_in
from assistant.tasks.record_qa.tests import table

Ask = Callable[..., RecordAnswer]


def parts(stay: dict[str, Any], text: str) -> list[str]:
    reading = RecordReading(Encounter.model_validate(stay))
    return [part for part, _ in questions_in(text, reading, None)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("K低过没 肌酐多少", 2),
        ("血钾最高多少？那最低呢？", 2),
        ("血钾最高多少，哪天？", 1),
        ("请问 血钾多少", 1),
        ("血钾", 1),
        ("什么 是 什么", 1),
        ("a b c d e", 1),
        ("", 1),
    ],
)
def test_a_line_is_cut_only_where_it_asks_twice(
    stay: dict[str, Any], text: str, count: int
) -> None:
    assert len(parts(stay, text)) == count


def test_both_questions_are_answered_each_from_its_rows(said: Ask) -> None:
    answer = said("K低过没 头孢用了几天")
    text = answer.plain_text()
    assert "3.2mmol/L" in text
    assert "6 天" in text
    assert len({s.id for s in answer.statements}) == len(answer.statements)
    assert all(s.evidence for s in answer.statements)


def test_a_second_question_goes_on_from_the_first(said: Ask) -> None:
    text = said("血钾入院时多少 后来呢").plain_text()
    assert "3.2mmol/L" in text
    assert "3.9mmol/L" in text


def test_what_was_not_understood_of_a_line_is_said(said: Ask) -> None:
    answer = said("血钾多少 呱呱叽叽")
    assert answer.outcome == "answered"
    assert "“呱呱叽叽”没有看懂" in answer.message


def test_somebody_elses_name_in_either_part_refuses_the_whole(said: Ask) -> None:
    answer = said("肌酐多少 李红的血钾多少")
    assert answer.outcome == "refused"
    assert not answer.statements


def test_each_abbreviation_has_an_example_that_it_writes_out() -> None:
    for pattern, long, example in table("abbreviations.tsv"):
        assert re.search(pattern, example.casefold())
        assert long.casefold() in written_out(example)
    assert written_out("mag用过吗") == "mag用过吗"


def test_why_quotes_and_leaves_the_reason_to_the_doctor(said: Ask, stay: dict[str, Any]) -> None:
    stay["notes"][1]["text"] += "因肌酐升高，停用头孢曲松。"
    answer = said("为什么停头孢曲松", data=stay)
    assert "因肌酐升高，停用头孢曲松" in answer.statements[0].text
    assert "请医师判断" in answer.message
    silent = said("为什么停利福平", data=stay)
    assert "未写明原因" in silent.message


def test_what_the_nurses_wrote_yesterday(said: Ask, stay: dict[str, Any]) -> None:
    nursing = {"id": "n3", "kind": "nursing", "title": "护理记录", "author": "柳青",
               "written_at": "2026-03-09T16:00:00", "text": "指导多饮水。"}  # fmt: skip
    stay["notes"].append(nursing)
    assert "指导多饮水" in said("昨天护士记了啥", data=stay).plain_text()
    assert said("会诊怎么说", data=stay).outcome == "not_recorded"


def test_a_later_value_in_a_note_is_shown_beside_the_last_row(
    said: Ask, stay: dict[str, Any]
) -> None:
    note = {"id": "n4", "kind": "progress", "title": "日常病程记录",
            "written_at": "2026-03-09T08:00:00", "text": "复查血钾4.1mmol/L。"}  # fmt: skip
    stay["notes"].append(note)
    first, *rest = said("血钾现在多少", data=stay).statements
    assert "3.9mmol/L" in first.text
    assert any("4.1mmol/L" in s.text and "请核对" in s.text for s in rest)
