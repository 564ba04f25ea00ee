# ruff: noqa: E501 - tables of Chinese words
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.ranking.demographics import age_in, disease_group, sex_in


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("小儿3岁，流涕", 3), ("男，45岁，胸痛", 45), ("两岁半", 2.5), ("2岁3个月", 2.25), ("孩子七个月，发烧", 7 / 12),
        ("宝宝28个月", 28 / 12), ("新生儿13天，女孩", 13 / 365), ("六十五岁", 65), ("二十岁", 20), ("8个月宝宝", 8 / 12),
        ("女,14月,咳嗽", 14 / 12), ("男，42天，早产", 42 / 365), ("急诊:女,81岁,2型糖尿病", 81),
    ],
)  # fmt: skip
def test_stated_ages(text: str, years: float) -> None:
    assert age_in(text) == pytest.approx(years)


@pytest.mark.parametrize(
    "text",
    [
        "发热3天",
        "3个月前出现头痛",
        "咳嗽2周",
        "",
        "200岁",
        "男，发热3天，",
        "女，3天前跌倒",
        "男，200天，",
    ],
)
def test_durations_are_no_ages(text: str) -> None:
    assert age_in(text) is None


def test_words_for_children_give_a_rough_age() -> None:
    rough = age_in("宝宝发烧了怎么办")
    assert rough is not None
    assert rough < 5


@given(st.text(max_size=80))
def test_any_text_has_an_age_or_none(text: str) -> None:
    years = age_in(text)
    assert years is None or 0 <= years <= 130
    assert sex_in(text) in {None, "male", "female"}


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        ("女，3岁", "female"),
        ("男宝宝", "male"),
        ("患者男性，45岁", "male"),
        ("我女儿", "female"),
        ("发热", None),
        ("男女均可", None),
    ],
)
def test_stated_sex(text: str, sex: str | None) -> None:
    assert sex_in(text) == sex


def test_groups_come_from_the_name_before_the_population() -> None:
    assert disease_group("小儿肺炎", ["婴幼儿"], []).high < 18
    assert disease_group("新生儿败血症", [], []).high <= 0.25
    assert disease_group("前列腺增生", [], []).sex == "male"
    assert disease_group("异位妊娠", [], []).sex == "female"
    assert disease_group("肺炎", [], ["儿科", "呼吸科"]).high == 130
