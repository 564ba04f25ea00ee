from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.monitoring.agreement import full_table, icc_2_1, mean_kappa, weighted_kappa

SHROUT_AND_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]
"""Table 2 of their paper (1979), whose ICC(2,1) they give as .29."""


def test_the_correlation_is_the_published_one() -> None:
    assert icc_2_1(SHROUT_AND_FLEISS) == pytest.approx(0.2898, abs=5e-4)


def test_who_agrees_wholly_has_one_and_who_never_varies_none() -> None:
    assert icc_2_1([[1, 1], [3, 3], [5, 5]]) == pytest.approx(1)
    assert icc_2_1([[3, 3], [3, 3], [3, 3]]) is None
    assert weighted_kappa([(1, 1), (5, 5)]) == 1
    assert weighted_kappa([(3, 3), (3, 3)]) is None
    assert weighted_kappa([(3, 3)]) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=2, max_size=20))
def test_kappa_is_that_of_the_table_of_categories(pairs: list[tuple[int, int]]) -> None:
    table = np.zeros((5, 5))
    for left, right in pairs:
        table[left - 1, right - 1] += 1 / len(pairs)
    weights = np.subtract.outer(np.arange(5), np.arange(5)) ** 2
    by_chance = (weights * np.outer(table.sum(axis=1), table.sum(axis=0))).sum()
    ours = weighted_kappa(pairs)
    if by_chance == 0:
        assert ours is None
    else:
        assert ours == pytest.approx(1 - (weights * table).sum() / by_chance)


def test_only_what_two_have_scored_counts() -> None:
    scores = {
        "a": {"1": 1.0, "2": 5.0, "3": 3.0},
        "b": {"1": 1.0, "2": 5.0},
        "c": {"9": 2.0},
    }
    assert mean_kappa(scores) == (1.0, 1)
    assert full_table(scores) == ([[1.0, 1.0], [5.0, 5.0]], ["a", "b"])
