"""Facts that must agree exactly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.grounding.facts import dates, marks, modes, negated_phrases, opposed, sides
from assistant.grounding.quantity import frequencies, quantities, routes
from assistant.grounding.wording import bigrams, fold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("体温39.2℃", [("39.2", "℃")]),
        ("体温３９．２℃", [("39.2", "℃")]),
        ("予头孢曲松2.0g静滴", [("2", "g")]),
        ("白细胞13.20×10^9/L", [("13.2", "10^9/L")]),
        ("血压160/95mmHg", [("160/95", "mmHg")]),
        ("肿瘤5*4*2cm", [("5*4*2", "cm")]),
        ("发热三天", [("3", "d")]),
        ("病程十二年", [("12", "年")]),
        ("心率98次/分", [("98", "次/分")]),
        ("阿司匹林100mg 每日1次 30天", [("100", "mg"), ("30", "d")]),
        ("2026年3月5日入院", []),
        ("无明显不适", []),
        ("发热10余天", [("10+", "d")]),
        ("肌力Ⅳ级", [("4", "级")]),
        ("生后1、5、10分钟", [("1", "min"), ("5", "min"), ("10", "min")]),
    ],
)
def test_quantities(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(q.value, q.unit) for q in quantities(text)] == expected


@given(st.text(max_size=200))
def test_offsets_stay_inside_any_text(text: str) -> None:
    assert len(fold(text)) == len(text)
    found = (*quantities(text), *dates(text), *sides(text), *negated_phrases(text))
    for item in (*found, *frequencies(text), *routes(text)):
        assert 0 <= item.start < item.end <= len(text)


@given(st.integers(0, 9999), st.sampled_from(["mg", "g", "ml", "mmol/L", "次/分", "℃"]))
def test_a_number_and_its_unit_are_found_again(value: int, unit: str) -> None:
    found = quantities(f"给予{value}{unit}，")
    assert len(found) == 1
    assert found[0].value == str(value)
    assert found[0].unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026年3月5日", [(2026, 3, 5)]),
        ("2026-03-05", [(2026, 3, 5)]),
        ("2026.3", []),
        ("3月5日", [(None, 3, 5)]),
        ("2026年3月", [(2026, 3, None)]),
        ("2026年13月5日", []),
        ("5-10次", []),
    ],
)
def test_dates(text: str, expected: list[tuple[int | None, int, int | None]]) -> None:
    assert [(d.year, d.month, d.day) for d in dates(text)] == expected


def test_dates_agree_where_both_are_written() -> None:
    whole, day = dates("2026年3月5日")[0], dates("3月5日")[0]
    assert whole.agrees(day)
    assert not whole.agrees(dates("3月6日")[0])
    assert not whole.agrees(dates("2025年3月5日")[0])


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
        ("未见明显异常", ["异常"]),
        ("乙肝表面抗原阴性", ["肝表面抗原"]),
        ("左侧肢体无力", []),
        ("无明显诱因出现腹痛", []),
    ],
)
def test_negated_phrases(text: str, expected: list[str]) -> None:
    found = [n.phrase for n in negated_phrases(text)]
    assert [phrase[-len(want) :] for phrase, want in zip(found, expected, strict=True)] == expected


def test_bigrams_leave_out_digits_and_punctuation() -> None:
    assert bigrams("咳嗽，3天") == {"咳嗽"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("每日2次", ["日2"]),
        ("bid", ["日2"]),
        ("每12小时1次", ["12小时1"]),
        ("q8h", ["8小时1"]),
        ("每周一次", ["周1"]),
        ("隔日1次", ["隔日1"]),
        ("每晚睡前", ["晚1"]),
    ],
)
def test_frequencies(text: str, expected: list[str]) -> None:
    assert [f.value for f in frequencies(text)] == expected


def test_how_a_text_means_its_matter() -> None:
    assert modes("建议行冠脉造影，患者拒绝") == {"planned", "refused"}
    assert modes("停用阿司匹林") == {"stopped"}
    assert modes("行冠脉造影") == frozenset()
    assert opposed("血压上升", "血压下降")
    assert not opposed("血压下降", "血压较前下降")
    assert marks("ER（+），HER2（-）") == {"ER": "+", "HER2": "-"}


def test_long_lists_of_numbers_are_read_in_one_pass() -> None:
    for text in ("1," * 60_000, "1、" * 60_000, "无" * 60_000, "阴性" * 30_000):
        quantities(text)
        negated_phrases(text)
