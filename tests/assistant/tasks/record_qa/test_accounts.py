"""What an answer does not account for gets the record's own lines, and no chosen value."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from assistant.tasks.record_qa.accounts import named_in, narrowed, qualifiers
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.tests import table
from knowledge.text.folding import fold

Ask = Callable[..., RecordAnswer]
LEAD = "请核对"


def test_each_qualifier_is_read_in_its_example() -> None:
    for one in qualifiers():
        assert one in narrowed(fold(one.example)), one.name


def test_fillers_are_patterns_that_blank_no_name() -> None:
    for (words,) in table("fillers.tsv"):
        re.compile(words)
    assert named_in("住院期间血钾一共查了几次") == ["血钾"]
    assert named_in("请问医生这个患者目前怎么样了") == []


@pytest.mark.parametrize(
    ("question", "left"),
    [
        ("血钾破百是哪天", "破百"),
        ("拔管后血钾多少", "拔管后"),
        ("换药那天血钾多少", "那天"),
        ("体检车上血钾多少", "体检车"),
    ],
)
def test_a_value_is_not_chosen_where_a_word_is_left(said: Ask, question: str, left: str) -> None:
    answer = said(question)
    assert left in answer.message
    assert LEAD in answer.message
    assert not any(s.text.startswith("最近一次") for s in answer.statements)
    assert all(s.evidence for s in answer.statements)


def test_a_question_that_is_read_whole_keeps_its_answer(said: Ask) -> None:
    assert said("住院期间血钾最高多少").route == "highest"
    assert said("请问血钾现在多少").statements[0].text.startswith("最近一次")


def test_an_earlier_stay_gets_no_value_of_this_one(said: Ask) -> None:
    answer = said("上次住院血钾多少")
    assert answer.outcome == "not_recorded"
    assert not answer.statements
    assert not answer.tables
    assert not answer.nearest
    before = said("上次住院是因为什么手术")
    assert "胆囊切除术" in before.plain_text()
    assert all("入院前" in s.text for s in before.statements)


def test_part_of_a_name_is_not_the_name(said: Ask) -> None:
    assert "血红蛋白" not in said("铁蛋白是多少").plain_text()


def test_who_wants_to_know_is_not_who_is_asked_about(said: Ask) -> None:
    answer = said("患者姐姐托我问血钾最高多少")
    assert answer.route == "highest"
    assert answer.question == "患者姐姐托我问血钾最高多少"


def test_a_relative_who_is_not_named_gets_the_family_history(said: Ask) -> None:
    answer = said("他爸血型是什么")
    assert "未单独提到" in answer.message
    assert "母亲患乳腺癌" in answer.plain_text()
