"""Examples that are near and no part of the test set."""

from __future__ import annotations

from dataclasses import replace

import pytest
from promptcblue_sets import gold

from eval.promptcblue.tracks import CCKS2023
from eval.run.few_shot import LexicalRetriever, Retriever, VectorRetriever, without_overlap
from serving.encoder.text_encoder import HashingEncoder

TRAIN = gold(CCKS2023)


@pytest.mark.parametrize("kind", ["lexical", "vectors"])
def test_the_nearest_prompt_of_the_task_comes_first(kind: str) -> None:
    retriever: Retriever = (
        LexicalRetriever(TRAIN) if kind == "lexical" else VectorRetriever(TRAIN, HashingEncoder())
    )
    for sample in TRAIN:
        found = retriever.nearest(sample.task_dataset, sample.input, 2)
        assert found[0].sample_id == sample.sample_id
        assert {s.task_dataset for s in found} == {sample.task_dataset}
    assert retriever.nearest("Text2DT", "文字", 2) == []


def test_what_overlaps_the_test_set_is_no_example() -> None:
    test = [TRAIN[0], replace(TRAIN[5], input=TRAIN[5].input + "\n答：", sample_id="x")]
    usable, overlap = without_overlap(TRAIN, test)
    left_out = {s.sample_id for s in TRAIN} - {s.sample_id for s in usable}
    assert {TRAIN[0].sample_id, TRAIN[5].sample_id} <= left_out
    assert len(left_out) < 8
    assert overlap.to_json()["exact"] >= 1
