from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.encoder.head import SpanScores


@given(st.integers(0, 12), st.integers(1, 4), st.integers(0, 2**32 - 1), st.floats(-2, 2))
def test_spans_found_are_those_of_the_dense_scores(
    length: int, types: int, seed: int, above: float
) -> None:
    random = np.random.default_rng(seed)
    scores = SpanScores(
        random.standard_normal((length, length)).astype(np.float32),
        random.standard_normal((types, length)).astype(np.float32),
        random.standard_normal((types, length)).astype(np.float32),
    )
    dense = scores.dense()
    expected = {
        (t, i, j): float(dense[t, i, j])
        for t in range(types)
        for i in range(length)
        for j in range(i, length)
        if dense[t, i, j] > above
    }
    found = {(kind, first, last): score for kind, first, last, score in scores.found(above)}
    near = {
        place for place in found.keys() ^ expected.keys() if abs(float(dense[place]) - above) > 1e-5
    }
    assert not near
    assert all(abs(found[place] - expected[place]) < 1e-5 for place in found.keys() & expected)


def test_no_span_ends_before_it_begins() -> None:
    scores = SpanScores(*(np.full(shape, 5, np.float32) for shape in ((3, 3), (1, 3), (1, 3))))
    assert np.isneginf(scores.dense()[0, 2, 0])
    assert all(first <= last for _, first, last, _ in scores.found())
