"""What grounding reads beside numbers and drugs: sides, denials, signs, ways, words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.grounding.denials import denials, is_turned
from assistant.grounding.measuring import measured
from assistant.grounding.opposites import Contraries
from assistant.grounding.sides import sides
from assistant.grounding.signs import signs
from assistant.grounding.stance import stances
from assistant.grounding.trends import trends
from assistant.grounding.wording import bigrams, fold


@given(st.text(max_size=200))
def test_offsets_stay_inside_any_text(text: str) -> None:
    assert len(fold(text)) == len(text)
    found = (*sides(text), *denials(text), *signs(text), *trends(text))
    for item in found:
        assert 0 <= item.start < item.end <= len(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("左侧肢体无力", [("左", "肢体无")]),
        ("右下腹压痛", [("右", "下腹压")]),
        ("双肺呼吸音清", [("双", "肺呼吸")]),
        ("予左氧氟沙星、右美托咪定、双氯芬酸钠", []),
        ("3天左右", []),
    ],
)
def test_sides(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(s.side, s.part) for s in sides(text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("否认胸痛", ["胸痛"]),
        ("无胸痛、咯血及水肿等不适", ["胸痛", "咯血", "水肿"]),
        ("未见明显异常", ["异常"]),
        ("没有闻及杂音", ["杂音"]),
        ("左侧肢体无力", []),
        ("无明显诱因出现腹痛", []),
        ("并非没有胸痛", []),
        ("不能排除肺栓塞", []),
        ("无不适", ["不适"]),
    ],
)
def test_denials(text: str, expected: list[str]) -> None:
    assert [d.text for d in denials(text)] == expected


def test_two_denials_undo_each_other() -> None:
    assert is_turned("并非没有糖尿病", 4)
    assert not is_turned("没有糖尿病", 2)
    assert not is_turned("并非没有胸痛，无糖尿病", 8)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ER（+），HER2（-）", {"er": True, "her2": False}),
        ("乙肝表面抗原：阴性，梅毒抗体：阳性", {"乙肝表面抗原": False, "梅毒抗体": True}),
        ("乙肝表面抗原、丙肝抗体均阴性", {"乙肝表面抗原": False, "丙肝抗体": False}),
        ("粪便隐血（±）", {"粪便隐血": None}),
    ],
)
def test_signs(text: str, expected: dict[str, bool | None]) -> None:
    assert {s.name: s.positive for s in signs(text)} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("血小板238，复查升至357×10^9/L", [("血小板计数", "left"), ("血小板计数", "last")]),
        ("WBC13.2×10^9/L", [("白细胞计数", "")]),
        ("入院时血钾3.1mmol/L，复查4.2mmol/L", [("血钾", "first"), ("血钾", "last")]),
        ("尿WBC 18/μL", [("尿白细胞", "")]),
        ("收缩压160mmHg", [("血压", "")]),
    ],
)
def test_what_a_number_is_of_and_which_of_several(
    text: str, expected: list[tuple[str, str]]
) -> None:
    assert [(m.concept, m.moment) for m in measured(text)] == expected


def test_a_reference_range_is_no_value() -> None:
    value, limits = measured("肌酐356μmol/L（参考值57-97）")
    assert not value.reference
    assert limits.reference


def test_bigrams_leave_out_digits_and_punctuation() -> None:
    assert bigrams("咳嗽，3天") == {"咳嗽"}


def test_how_a_text_means_its_matter() -> None:
    assert stances("建议行冠脉造影，患者拒绝") == {"planned", "refused"}
    assert stances("停用阿司匹林") == {"stopped"}
    assert stances("行冠脉造影") == frozenset()
    assert Contraries("血压上升").opposed("血压下降")
    assert not Contraries("血压下降").opposed("血压较前下降")
    assert [(t.concept, t.up) for t in trends("血小板较前升高")] == [("血小板计数", True)]


def test_long_lists_are_read_in_one_pass() -> None:
    for text in ("无" * 60_000, "阴性" * 30_000, "左" * 60_000, "升至" * 30_000):
        denials(text)
        signs(text)
        sides(text)
