# ruff: noqa: E501 - tables of Chinese words
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.ranking.critical import critical_diseases
from knowledge.ranking.prior import common_diseases
from knowledge.text.folding import fold
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind, load_synonyms, parse_synonyms
from knowledge.vocabulary import Vocabulary

TABLE = load_synonyms()


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("发烧", "发热"), ("拉肚子", "腹泻"), ("流鼻涕", "流涕"), ("嗓子疼", "咽痛"), ("肚子疼", "腹痛"),
        ("喘不上气", "呼吸困难"), ("气短", "呼吸困难"), ("心慌", "心悸"), ("流清水样鼻涕", "清涕"), ("没劲", "乏力"),
    ],
)  # fmt: skip
def test_what_patients_say_has_a_clinical_name(said: str, meant: str) -> None:
    assert TABLE.canonical(said) == meant


def test_a_kind_of_something_knows_it() -> None:
    assert TABLE.ancestors("清涕") == ("流涕",)
    assert "发热" in TABLE.ancestors("高热")
    assert TABLE.ancestors("发热") == ()


def test_the_table_is_broad() -> None:
    assert len(TABLE.concepts) > 250
    assert sum(len(concept.wordings) for concept in TABLE.concepts.values()) > 2500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("发热\tsymptom\t发烧\n头痛\tsymptom\t发烧", "发烧 names"),
        ("发热\tsymptom\n发热\tsymptom", "twice"),
        ("发热\tfever\t发烧", "line 1"),
        ("高热\tsymptom\t\t发热", "unknown parent"),
    ],
)
def test_a_wrong_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_synonyms(text)


def test_critical_triggers_are_concepts_that_notes_can_yield() -> None:
    for entry in critical_diseases():
        assert entry.triggers
        for trigger in entry.triggers:
            assert trigger <= TABLE.concepts.keys(), entry.name
    assert len(critical_diseases()) >= 60


def test_common_diseases_have_sane_ages() -> None:
    for entry in common_diseases().values():
        assert 1 <= entry.tier <= 3
        assert 0 <= entry.low < entry.high <= 130


@given(st.text())
def test_folding_keeps_every_offset(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)


def test_longest_match_wins_and_never_overlaps() -> None:
    lexicon = Lexicon()
    for term in ("过敏", "过敏性鼻炎", "鼻炎"):
        lexicon.add(term, term, TermKind.DISEASE)
    assert [m.concept for m in lexicon.find("过敏性鼻炎和鼻炎")] == ["过敏性鼻炎", "鼻炎"]


def test_words_between_are_bridged() -> None:
    lexicon = Lexicon()
    lexicon.add("肚子…疼", "腹痛", TermKind.SYMPTOM)
    found = lexicon.find("肚子有点疼，肚子不疼")
    assert [(m.concept, m.denied) for m in found] == [("腹痛", False), ("腹痛", True)]


def test_loose_phrases_become_concepts() -> None:
    phrases = ["鼻塞和鼻痒", "伴发热", "口腔黏膜", "肺炎", "咳嗽", "无头痛", "特殊体征", "特殊体征"]
    vocabulary = Vocabulary(phrases, TABLE, {"肺炎"})
    assert vocabulary.concepts("鼻塞和鼻痒") == ("鼻塞", "鼻痒")
    assert vocabulary.concepts("伴发热") == ("发热",)
    assert vocabulary.concepts("口腔黏膜") == ()
    assert vocabulary.concepts("无头痛") == ()
    assert vocabulary.concepts("肺炎") == ()
    assert vocabulary.is_disease("肺炎")
    assert not vocabulary.is_disease("腹泻")
    assert vocabulary.concepts("特殊体征") == ("特殊体征",)
