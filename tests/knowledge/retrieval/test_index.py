from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.base import KnowledgeBase
from knowledge.retrieval.lexical import LexicalIndex


def test_a_named_disease_comes_first(base: KnowledgeBase) -> None:
    for query in ("肺炎怎么治疗", "得了肺炎做什么检查"):
        assert base.index.search(query, 3)[0].passage.subject == "肺炎"


def test_a_disease_named_by_another_name_comes_first(base: KnowledgeBase) -> None:
    subjects = {passage.subject for passage in base.index.of_kind("disease")}
    named = [
        (alias, disease.name)
        for disease in base.graph.diseases
        for alias in disease.aliases
        if disease.name in subjects
    ]
    assert named
    for alias, name in named:
        assert base.index.search(f"{alias}怎么治疗", 3)[0].passage.subject == name, alias


def test_guideline_passages_are_found_and_carry_their_source(base: KnowledgeBase) -> None:
    hit = base.index.search("到达后十分钟内完成十八导联心电图", 1)[0]
    assert hit.passage.kind == "guideline"
    assert hit.passage.source == "sample-guidelines"
    assert hit.passage.version
    assert hit.passage.key.startswith("chest_pain.md/")
    assert base.index.passage(hit.passage.id) == hit.passage


def test_fused_ranks_are_kept(base: KnowledgeBase) -> None:
    hit = base.index.search("急性阑尾炎 右下腹痛", 1)[0]
    assert hit.lexical_rank == 1
    assert hit.dense_rank is not None
    assert hit.score == pytest.approx(2 / 61 + 1 / (60 + hit.dense_rank))


@pytest.mark.parametrize("query", ["", "  ", "\n"])
def test_an_empty_query_finds_nothing(base: KnowledgeBase, query: str) -> None:
    assert base.index.search(query, 5) == []


@given(query=st.text(max_size=300), limit=st.integers(0, 40))
def test_any_query_is_answered(base: KnowledgeBase, query: str, limit: int) -> None:
    hits = base.index.search(query, limit)
    assert len(hits) <= limit
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_unknown_passage(base: KnowledgeBase) -> None:
    assert base.index.passage("nothing") is None


def test_lexical_scores_prefer_rare_terms(tmp_path: Path) -> None:
    LexicalIndex.build(["发热咳嗽", "发热头痛", "发热皮疹", "COVID-19 发热"], tmp_path)
    index = LexicalIndex(tmp_path)
    assert index.search("发热皮疹", 4)[0][0] == 2
    assert index.search("covid-19", 4) == [(3, pytest.approx(index.search("covid-19", 4)[0][1]))]
    assert index.search("没有的词", 4) == []


def test_an_empty_lexical_index(tmp_path: Path) -> None:
    LexicalIndex.build([], tmp_path)
    assert LexicalIndex(tmp_path).search("发热", 3) == []
