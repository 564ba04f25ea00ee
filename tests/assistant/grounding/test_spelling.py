"""What is written in several ways is read in one, and its words are shown as they were written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.grounding.outcome_checks import outcome_rows
from assistant.grounding.spelling import name_rows, spelled, spelling_rows
from assistant.grounding.wording import bigrams, same_word_rows

EXAMPLES = [row[2] for row in spelling_rows()]


@pytest.mark.parametrize("row", spelling_rows(), ids=lambda row: str(row[2]))
def test_every_row_spells_its_example(row: list[str]) -> None:
    *_, example, wanted = row
    # Later rows may spell what a row gives once more; both must come to the same.
    assert spelled(example).text == spelled(wanted).text
    assert spelled(example).text != example


@pytest.mark.parametrize("row", same_word_rows(), ids=lambda row: str(row[2]))
def test_every_row_of_same_words_counts_as_its_example(row: list[str]) -> None:
    *_, example, wanted = row
    assert bigrams(example) == bigrams(wanted)


def test_every_other_name_is_read_as_the_first() -> None:
    for name, others in name_rows():
        for other in others.split("|"):
            assert spelled(f"，{other}，").text == spelled(f"，{name}，").text, other


def test_every_row_of_outcomes_has_its_example() -> None:
    for outcome, telling, example in outcome_rows():
        assert re.search(f"{outcome}|{telling}", example), example


@given(st.lists(st.sampled_from([*EXAMPLES, "，", "。", "12", "左侧"]), max_size=6).map("".join))
def test_what_is_spelled_stays_so_and_knows_where_it_stood(text: str) -> None:
    once = spelled(text)
    assert len(once.origin) == len(once.text)
    assert all(0 <= a < b <= len(text) for a, b in once.origin)


def test_words_are_shown_as_they_were_written() -> None:
    one = spelled("脉搏每分钟118次，体温39.1℃")
    assert one.text == "脉搏118次/分，体温39.1℃"
    assert one.written("118次/分") == "每分钟118次"
    assert one.written("体温39.1℃") == "体温39.1℃"
    assert one.written("不在其中") == "不在其中"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5月龄", "5月"), ("2月余", "2月"), ("03-07出院", "07-03出院"), ("36+2周", "32+6周"),
        ("ⅢA期", "IIIB期"), ("T2DM", "T1DM"), ("8:40", "8:04"), ("12-15次", "12月15日次"),
    ],
)  # fmt: skip
def test_what_is_not_the_same_is_not_spelled_alike(one: str, other: str) -> None:
    assert spelled(one).text != spelled(other).text
