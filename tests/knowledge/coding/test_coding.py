from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.base import KnowledgeBase
from knowledge.coding.coding import Code, Coder, spelling_rows
from knowledge.text.folding import fold

CODES = [
    Code("I21.900", "急性心肌梗死", "table"),
    Code("E11.900", "2型糖尿病", "table"),
    Code("I10.x00", "高血压病", "table"),
    Code("J18.900", "肺炎", "table"),
    Code("J18.000", "支气管肺炎", "table"),
    Code("J18.9", "肺炎", "other"),
]
CODER = Coder(CODES)


def test_the_same_name_scores_one() -> None:
    best = CODER.candidates("急性心肌梗死")[0]
    assert (best.code, best.system, best.score) == ("I21.900", "table", 1.0)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("急性心肌梗塞", "I21.900"),
        ("２型糖尿病", "E11.900"),
        ("Ⅱ型糖尿病", "E11.900"),
        ("高血压", "I10.x00"),
    ],
)
def test_other_spellings_find_the_code(written: str, code: str) -> None:
    assert CODER.candidates(written)[0].code == code


def test_every_table_answers_for_itself() -> None:
    same = [c for c in CODER.candidates("肺炎") if c.score == 1.0]
    assert {(c.system, c.code) for c in same} == {("table", "J18.900"), ("other", "J18.9")}


@pytest.mark.parametrize("joint", ["、", "；", "+", "\n", "##"])
def test_a_compound_diagnosis_is_split(joint: str) -> None:
    codes = [c.code for c in CODER.candidates(f"肺炎{joint}2型糖尿病{joint}高血压病")]
    assert {"J18.900", "E11.900", "I10.x00"} <= set(codes)


@pytest.mark.parametrize("written", ["", "？", "量子纠缠", "☺"])
def test_nothing_alike_gives_no_code(written: str) -> None:
    assert CODER.candidates(written) == []


@given(written=st.text(max_size=40), limit=st.integers(0, 8))
def test_codes_are_never_invented(written: str, limit: int) -> None:
    known = {(code.code, code.name, code.system) for code in CODES}
    for candidate in CODER.candidates(written, limit):
        assert (candidate.code, candidate.name, candidate.system) in known
        assert 0 < candidate.score <= 1


def test_a_disease_without_a_code_stays_without(base: KnowledgeBase) -> None:
    assert [c for c in base.coder.candidates("百日咳") if c.score == 1.0] == []


def test_codes_of_a_base_name_their_source(base: KnowledgeBase) -> None:
    systems = {c.system for c in base.coder.candidates("肺炎") if c.score == 1.0}
    assert systems == {"sample-diseases", "sample-icd10"}


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("CKD5期", "慢性肾脏病5期"),
        ("慢性肾脏病（CKD 5期）", "慢性肾脏病5期"),
        ("2型糖尿病肾病", "2型糖尿病性肾病"),
        ("AECOPD", "慢性阻塞性肺病伴有急性加重"),
        ("慢阻肺急性加重期", "慢性阻塞性肺病伴有急性加重"),
        ("窦速", "窦性心动过速"),
        ("II型呼衰", "Ⅱ型呼吸衰竭"),
        ("慢性乙肝", "慢性乙型病毒性肝炎"),
    ],
)
def test_one_diagnosis_in_several_spellings_is_one(written: str, name: str) -> None:
    names = ["慢性肾脏病", "2型糖尿病", "慢性阻塞性肺病", name]
    coder = Coder([Code(str(number), each, "t") for number, each in enumerate(names)])
    best = coder.candidates(written)[0]
    assert (best.name, best.score) == (name, 1.0)


def test_each_spelling_changes_its_example() -> None:
    for pattern, _, example in spelling_rows():
        assert re.search(pattern, fold(example)), example
