"""Shares with intervals."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.clinical.proportion import share, wilson


def test_wilson_by_hand() -> None:
    """Newcombe (1998), table I: 81 of 263."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_all_right_is_not_certain() -> None:
    figure = share("x", {"a": (10, 10), "b": (10, 10)})
    assert figure.value == 100
    assert figure.high == 100
    assert figure.low is not None
    assert figure.low < 90


def test_records_that_differ_widen_the_interval() -> None:
    alike = share("x", {str(n): (5, 10) for n in range(10)})
    apart = share("x", {str(n): (10 * (n % 2), 10) for n in range(10)})
    assert alike.value == apart.value == 50
    assert alike.low is not None
    assert apart.low is not None
    assert apart.low < alike.low


@given(st.dictionaries(st.text(max_size=3), st.integers(0, 9), min_size=1, max_size=8))
def test_the_interval_holds_the_share(hits: dict[str, int]) -> None:
    figure = share("x", {key: (n, 9) for key, n in hits.items()})
    assert figure.low is not None
    assert figure.high is not None
    assert 0 <= figure.low <= figure.value + 1e-3
    assert figure.value - 1e-3 <= figure.high <= 100
