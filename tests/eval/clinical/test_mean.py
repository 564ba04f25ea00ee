"""Means over cases."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eval.clinical.mean import mean


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40))
def test_the_interval_is_around_the_mean_and_within_the_values(values: list[float]) -> None:
    figure = mean("x", values, unit="%", group="g")
    assert figure.low is not None
    assert figure.high is not None
    edge = 1e-3
    assert min(values) - edge <= figure.low <= figure.value + edge
    assert figure.value - edge <= figure.high <= max(values) + edge
    assert (figure.n, figure.unit, figure.group) == (len(values), "%", "g")
    assert mean("x", values, unit="%", group="g") == figure


def test_more_cases_narrow_the_interval() -> None:
    few, many = mean("x", [0.0, 1.0] * 10), mean("x", [0.0, 1.0] * 1000)
    assert few.high is not None
    assert few.low is not None
    assert many.high is not None
    assert many.low is not None
    assert few.high - few.low > 5 * (many.high - many.low)
    # 1.96 · 0.5 / √2000
    assert abs((many.high - many.low) / 2 - 0.0219) < 0.002


def test_nothing_has_no_interval() -> None:
    figure = mean("x", [])
    assert (figure.value, figure.low, figure.high, figure.n) == (0.0, None, None, 0)
