"""Questions to a base."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from eval.clinical.retrieval import SCORES, Found, evaluate, own_queries, read_queries
from eval.errors import InputError
from eval.json_lines import read_objects
from knowledge.base import KnowledgeBase
from serving.encoder.text_encoder import HashingEncoder


def lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    return path


def test_recall_and_reciprocal_rank() -> None:
    found = Found([], (3, None, 12))
    assert [found.recall(k) for k in (1, 5, 20)] == [0, 1 / 3, 2 / 3]
    assert found.reciprocal == 1 / 3
    assert Found([], (None,)).reciprocal == 0


def test_ids_names_and_aliases(base: KnowledgeBase, tmp_path: Path) -> None:
    passage = base.index.search("肺栓塞", 1)[0].passage
    path = lines(
        tmp_path / "q.jsonl",
        {"query": "肺栓塞", "relevant": [passage.id]},
        {"query": "肺栓塞怎样诊断", "relevant": "肺血栓栓塞症", "group": "别名"},
        {"query": "肺栓塞和肺炎", "relevant": ["肺栓塞", "肺血栓栓塞症", "小儿肺炎", "肺炎"][:2]},
    )
    first, second, third = read_queries(path, base)
    assert first.relevant[0].is_met_by(passage)
    assert second.relevant[0].is_met_by(passage)
    assert (first.id, second.group) == ("q-1", "别名")
    assert len(third.relevant) == 1, "two names of one disease are one thing"


def test_a_search_by_name_finds_the_disease(base: KnowledgeBase, tmp_path: Path) -> None:
    names = ["急性阑尾炎", "急性胰腺炎", "支气管哮喘", "脑梗死"]
    path = lines(
        tmp_path / "q.jsonl", *({"query": f"{name}的表现", "relevant": name} for name in names)
    )
    result = evaluate(read_queries(path, base), base, command="x", sources=["q"])
    assert result.scores["recall1"] == result.scores["mrr"] == 100
    assert set(result.scores) == {name for name in SCORES if not name.startswith("vector")}
    assert result.headline.value == result.scores["recall10"]
    assert result.cases == []
    assert any("lexical only" in note for note in result.notes)


def test_vectors_are_measured_apart(sample_folder: Path, tmp_path: Path) -> None:
    hybrid = KnowledgeBase.open(sample_folder, HashingEncoder())
    path = lines(
        tmp_path / "q.jsonl",
        {"query": "右下腹疼痛怎么办", "relevant": ["急性阑尾炎"], "group": "a"},
        {"query": "zzz", "relevant": ["肺炎", "脑梗死"], "group": "b"},
    )
    result = evaluate(read_queries(path, hybrid), hybrid)
    assert set(result.scores) == set(SCORES)
    for prefix in ("", "lexical.", "vector."):
        recalls = [result.scores[f"{prefix}recall{k}"] for k in (1, 5, 10, 20)]
        assert recalls == sorted(recalls)
    assert [row[:2] for row in result.tables[0].rows] == [["a", "1"], ["b", "1"]]
    assert "b" in {case.kind for case in result.cases}
    hybrid.close()


def test_each_way_gives_its_own_list(sample_folder: Path) -> None:
    hybrid = KnowledgeBase.open(sample_folder, HashingEncoder())
    hits = hybrid.index.search("发热咳嗽", 10)
    words = [p.id for p in hybrid.index.by_words("发热咳嗽", 10)]
    near = [p.id for p in hybrid.index.by_meaning("发热咳嗽", 10)]
    for hit in hits:
        if hit.lexical_rank is not None and hit.lexical_rank <= len(words):
            assert words[hit.lexical_rank - 1] == hit.passage.id
        if hit.dense_rank is not None and hit.dense_rank <= len(near):
            assert near[hit.dense_rank - 1] == hit.passage.id
    assert len(near) == 10
    assert hybrid.index.by_meaning(" ") == []
    hybrid.close()


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"relevant": ["肺炎"]}, "query"),
        ({"query": " ", "relevant": ["肺炎"]}, "query"),
        ({"query": "x"}, "relevant"),
        ({"query": "x", "relevant": []}, "relevant"),
        ({"query": "x", "relevant": [3]}, "relevant"),
        ({"query": "x", "relevant": ["没有这种病"]}, "relevant"),
        ({"query": "x", "relevant": ["肺炎"], "id": 3}, "id"),
        ({"query": "x", "relevant": ["肺炎"], "id": "q-1"}, "id"),
        ({"query": "x", "relevant": ["肺炎"], "group": 3}, "group"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    base: KnowledgeBase, tmp_path: Path, row: dict[str, Any], field: str
) -> None:
    path = lines(tmp_path / "q.jsonl", {"query": "x", "relevant": ["肺炎"]}, row)
    with pytest.raises(InputError) as caught:
        read_queries(path, base)
    assert (caught.value.line, caught.value.field) == (2, field)


def test_a_file_without_queries(base: KnowledgeBase, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no query"):
        read_queries(lines(tmp_path / "q.jsonl"), base)


def test_the_own_queries() -> None:
    rows = [row for _, row in read_objects(own_queries())]
    assert len(rows) >= 60
    assert len({row["query"] for row in rows}) == len({row["id"] for row in rows}) == len(rows)
    assert set(Counter(row["group"] for row in rows)) == {"named", "alias", "described"}
    for row in rows:
        named = any(name in row["query"] for name in row["relevant"])
        if row["group"] != "alias":
            assert named == (row["group"] == "named"), row["id"]
