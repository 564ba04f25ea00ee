from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.store.edit_distance import MAX_MEASURED, edit_distance


def by_table(before: str, after: str) -> int:
    """The textbook dynamic programme."""
    row = list(range(len(after) + 1))
    for i, left in enumerate(before, 1):
        corner, row[0] = row[0], i
        for j, right in enumerate(after, 1):
            corner, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, corner + (left != right))
    return row[-1]


SHORT = st.text(alphabet="发热咳ab", max_size=80)


@given(SHORT, SHORT)
def test_it_is_the_distance_of_the_textbook(before: str, after: str) -> None:
    assert edit_distance(before, after) == by_table(before, after)


@given(SHORT, st.text(max_size=200))
def test_any_characters(before: str, after: str) -> None:
    assert edit_distance(before, after) == by_table(before, after)


def test_code_points_are_counted() -> None:
    assert edit_distance("体温38.5℃", "体温37.5℃") == 1
    assert edit_distance("", "🙂头痛") == 3
    assert edit_distance("头痛", "头痛") == 0


def test_a_long_text_with_a_small_change_is_measured() -> None:
    text = "患者一般情况可。" * 20_000
    assert edit_distance(text, text[:50_000] + "神志清，" + text[50_000:]) == 4


def test_a_wholly_different_long_text_is_not_measured() -> None:
    assert edit_distance("a", "b" * (MAX_MEASURED + 1)) is None


@pytest.mark.parametrize(("before", "after"), [("aa", "aaa"), ("aba", "a"), ("ab" * 5, "ab" * 7)])
def test_repeats_at_both_ends_are_not_cut_twice(before: str, after: str) -> None:
    assert edit_distance(before, after) == by_table(before, after)
