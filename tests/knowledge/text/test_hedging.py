from __future__ import annotations

import pytest

from knowledge.text.assertion.engine import assert_terms
from knowledge.text.finding import Certainty, Polarity
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind


@pytest.mark.parametrize(
    ("text", "term", "certain"),
    [
        ("咳嗽咱不晓得算不算", "咳嗽", False),
        ("咳嗽不剧", "咳嗽", True),
        ("步态不稳伴头晕", "头晕", True),
        ("咳嗽3天", "咳嗽", True),
    ],
)
def test_a_denying_word_that_no_rule_explains_makes_uncertain(
    text: str, term: str, *, certain: bool
) -> None:
    start = text.index(term)
    (said,) = assert_terms(text, [Match(start, start + len(term), term, TermKind.SYMPTOM)])
    assert said.polarity is Polarity.PRESENT
    assert (said.certainty is Certainty.CERTAIN) is certain


@pytest.mark.parametrize(
    ("text", "denied"), [("亦非丹毒", True), ("非丹毒", True), ("非酒精性脂肪肝", False)]
)
def test_what_begins_with_not_denies_itself_unless_it_is_a_name(text: str, *, denied: bool) -> None:
    start = text.index("非")
    (said,) = assert_terms(text, [Match(start, len(text), text[start:], TermKind.DISEASE)])
    assert (said.polarity is Polarity.ABSENT) is denied
