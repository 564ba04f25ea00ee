"""What a pattern needs is in every match of it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.text.assertion.needed import needed
from knowledge.text.assertion.rules import load_rules

RULES = list(load_rules())


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("不能排除", ("不能排除",)),
        ("(?:否认|无)[^,]{0,3}史", ("史",)),
        ("(?:否认|未见)", ("否认", "未见")),
        ("[无未]", ("无", "未")),
        ("否?认+", ("认",)),
        ("(?<=既往)有", ("有",)),
        ("(?:有|)", None),
        ("[^,]", None),
        ("a|b*", None),
        ("(?i:no)", None),
    ],
)
def test_the_longest_part_that_must_be_there(pattern: str, wanted: tuple[str, ...] | None) -> None:
    found = needed(re.compile(pattern))
    assert found == wanted or (wanted is None and found in (None, ()))


def test_most_cues_need_something() -> None:
    assert sum(needed(rule.pattern) is not None for rule in RULES) > len(RULES) * 0.9


@settings(max_examples=60)
@given(st.data())
def test_whatever_a_cue_matches_holds_what_it_needs(data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from(RULES))
    text = data.draw(st.from_regex(rule.pattern))
    words = needed(rule.pattern)
    if rule.pattern.search(text) and words is not None:
        assert any(word in text for word in words)
