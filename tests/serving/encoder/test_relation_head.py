"""The relation head: its links against the definition, its configuration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tiny_bert
from hypothesis import given
from hypothesis import strategies as st

from serving.encoder.convert import convert
from serving.encoder.head import RelationScores, SpanScores
from serving.encoder.runtime import BertRuntime, ModelUnavailable
from serving.encoder.shape import RelationShape, head_config, head_shape_of
from serving.ir.checkpoint import CheckpointError

HEAD = RelationShape(("临床表现", "药物治疗"), size=8, above=0.25)


def _table(random: np.random.Generator, length: int, labels: int) -> SpanScores:
    return SpanScores(
        random.standard_normal((length, length)).astype(np.float32),
        random.standard_normal((labels, length)).astype(np.float32),
        random.standard_normal((labels, length)).astype(np.float32),
    )


@given(st.integers(0, 7), st.integers(1, 3), st.sampled_from((-1.5, 0.0, 0.5)), st.integers(0, 99))
def test_links_are_those_of_the_definition(
    length: int, predicates: int, above: float, seed: int
) -> None:
    random = np.random.default_rng(seed)
    spans = _table(random, length, 2)
    heads, tails = (_table(random, length, predicates) for _ in range(2))
    found = {
        (link.subject, link.predicate, link.object): link.score
        for link in RelationScores(spans, heads, tails).found(above)
    }

    def score(table: SpanScores, kind: int, one: int, other: int) -> float:
        return float(table.pairs[one, other] + table.starts[kind, one] + table.stops[kind, other])

    places = [(first, last) for last in range(length) for first in range(last + 1)]
    expected = {}
    for subject in places:
        for other in places:
            for kind in range(predicates):
                weakest = min(
                    score(spans, 0, *subject),
                    score(spans, 1, *other),
                    score(heads, kind, subject[0], other[0]),
                    score(tails, kind, subject[1], other[1]),
                )
                if weakest > above and subject != other:
                    expected[subject, kind, other] = weakest
    assert found.keys() == expected.keys()
    assert all(abs(found[key] - expected[key]) < 1e-5 for key in expected)


def test_a_model_that_fires_everywhere_is_still_read() -> None:
    length = 200
    full = SpanScores(
        np.ones((length, length), np.float32),
        np.ones((2, length), np.float32),
        np.ones((2, length), np.float32),
    )
    assert 0 < len(RelationScores(full, full, full).found()) <= 2 * 120 * 120


def test_a_converted_folder_gives_relations_and_nothing_else(tmp_path: Path) -> None:
    source = tiny_bert.write(tmp_path / "a", span=HEAD, weights=tiny_bert.tensors(span=HEAD))
    runtime = BertRuntime(convert(source, tmp_path / "b"), "f32")
    assert runtime.relation == HEAD
    assert runtime.span is None
    rows = [[7, 8, 9], [10]]
    found = dict(runtime.relations(rows))
    assert found[0].heads.starts.shape == (2, 3)
    assert found[1].spans.pairs.shape == (1, 1)
    with pytest.raises(ModelUnavailable, match="span head"):
        list(runtime.spans(rows))
    with pytest.raises(ModelUnavailable, match="its head"):
        list(runtime.hidden(rows))


def test_the_configuration_comes_back_and_a_wrong_one_is_named() -> None:
    assert head_shape_of(head_config(HEAD), "config.json") == HEAD
    assert head_shape_of({}, "config.json") is None
    for wrong in (
        {"relation_head": 3},
        {"relation_head": {"predicates": [], "size": 8}},
        {"relation_head": {"predicates": ["a", "a"], "size": 8}},
        {"relation_head": {"predicates": ["a"], "size": 7}},
        {"relation_head": {"predicates": ["a"], "size": 8, "above": 1.0}},
        {"relation_head": {"predicates": ["a"], "size": 8, "above": "much"}},
        {**head_config(HEAD), **head_config(tiny_bert.SPAN)},
    ):
        with pytest.raises(CheckpointError, match="head"):
            head_shape_of(wrong, "config.json")
