from __future__ import annotations

import pytest

from knowledge.text.assertion.engine import assert_terms
from knowledge.text.finding import Certainty, Polarity, Temporality
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


@pytest.mark.parametrize(
    ("text", "term", "certain"),
    [
        # A denial that found nothing to deny may be of what stands before it.
        ("发热、作闷这几样他倒说不上有", "发热", False),
        ("外院诊断肺癌，我院予推翻", "肺癌", False),
        ("肺癌，改为口服化疗", "肺癌", True),
        ("除发热外无异常", "发热", True),
    ],
)
def test_a_denial_without_an_object_makes_uncertain(text: str, term: str, *, certain: bool) -> None:
    start = text.index(term)
    kind = TermKind.DISEASE if term == "肺癌" else TermKind.SYMPTOM
    (said,) = assert_terms(text, [Match(start, start + len(term), term, kind)])
    asserted = said.polarity is Polarity.PRESENT and said.certainty is Certainty.CERTAIN
    assert asserted is certain


def test_an_excluded_allergy_is_no_allergy_of_the_drug() -> None:
    text = "曾疑青霉素过敏，后经激发试验排除"
    (said,) = assert_terms(text, [Match(2, 5, "青霉素", TermKind.DRUG)])
    assert said.polarity is Polarity.ABSENT


def test_what_is_told_under_a_plan_is_there() -> None:
    text = "诊疗计划：1.抗感染治疗。今查房：咳嗽减轻。"
    start = text.index("咳嗽")
    (said,) = assert_terms(text, [Match(start, start + 2, "咳嗽", TermKind.SYMPTOM)])
    assert said.temporality is Temporality.CURRENT
