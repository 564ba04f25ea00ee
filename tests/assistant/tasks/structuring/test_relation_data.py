"""Annotated triples as tokens and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.tasks.structuring.relation_decoding import FoundTriple
from assistant.training import relation_data
from assistant.training.dataset import DatasetInvalid
from assistant.training.relation_data import RelationExample
from serving.encoder.vocabulary import of_characters

TEXT = "肺炎@患者有时发热。而且肺炎可致发热，予青霉素。"
PREDICATES = ["临床表现", "药物治疗"]
TRIPLES = frozenset({("肺炎", "临床表现", "发热"), ("肺炎", "药物治疗", "青霉素")})


def test_both_forms_of_an_object_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    spo = [
        {"subject": "肺炎", "predicate": "临床表现", "object": {"@value": "发热"}},
        {"subject": "肺炎", "predicate": "药物治疗", "object": "青霉素"},
    ]
    path.write_text(json.dumps({"text": TEXT, "spo_list": spo}) + "\n\n", encoding="utf-8")
    assert relation_data.read(path) == [RelationExample(TEXT, TRIPLES)]


@pytest.mark.parametrize("line", ["{", '{"text": "a"}', '{"text": 1, "spo_list": []}', "[]"])
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a", "spo_list": []}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DatasetInvalid, match="line 2"):
        relation_data.read(path)


def test_a_triple_stands_where_its_ends_are_nearest() -> None:
    words = of_characters([TEXT], least=1)
    made, lost = relation_data.document(RelationExample(TEXT, TRIPLES), words, PREDICATES)
    assert lost == 0
    # 肺炎 at 0 and 12, 发热 at 7 and 16.
    assert made.links.tolist() == [[0, 12, 13, 16, 17], [1, 12, 13, 20, 22]]
    missing = RelationExample(TEXT, frozenset({("肺炎", "临床表现", "咳嗽")}))
    assert relation_data.document(missing, words, PREDICATES)[1] == 1


def test_batches_hold_every_triple_once() -> None:
    words = of_characters([TEXT], least=1)
    made, _ = relation_data.document(RelationExample(TEXT, TRIPLES), words, PREDICATES)
    random = np.random.default_rng(0)
    (batch,) = relation_data.batches([made, made], words, 512, random)
    assert batch.ids.shape == (2, len(made.ids) + 2)
    row = [one[1:] for one in batch.heads.tolist() if one[0] == 0]
    assert row == [[0, 13, 17], [1, 13, 21]]
    assert [one[1:] for one in batch.tails.tolist() if one[0] == 1] == [[0, 14, 18], [1, 14, 23]]
    spans = {tuple(one) for one in batch.spans.tolist() if one[0] == 0}
    assert spans == {(0, 0, 13, 14), (0, 1, 17, 18), (0, 1, 21, 23)}


def test_windows_cut_nothing_but_what_crosses_them() -> None:
    words = of_characters([TEXT], least=1)
    made, _ = relation_data.document(RelationExample(TEXT, TRIPLES), words, PREDICATES)
    for seed in range(20):
        cut = list(relation_data.pieces(made, 14, np.random.default_rng(seed)))
        assert np.array_equal(np.concatenate([one.ids for one in cut]), made.ids)
        for one in cut:
            for _, *places in one.links.tolist():
                assert max(places) < len(one.ids)
                assert min(places) >= 0


def test_scores_count_words_not_places() -> None:
    def find(text: str) -> list[FoundTriple]:
        return [
            FoundTriple((0, 2), "临床表现", (7, 9), 0.9),
            FoundTriple((12, 14), "临床表现", (16, 18), 0.9),
            FoundTriple((0, 2), "并发症", (7, 9), 0.6),
        ]

    scores = relation_data.score([RelationExample(TEXT, TRIPLES)], find)
    micro = scores.micro()
    assert (micro.gold, micro.found, micro.right) == (2, 2, 1)
    assert scores.types["临床表现"].f1 == 1
