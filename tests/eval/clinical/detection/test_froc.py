"""FROC by hand, and what no scan may change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.clinical.detection.froc import ScanMarks, point, sensitivity


def scan(name: str, nodules: list[float], false: list[float]) -> ScanMarks:
    return ScanMarks(name, np.array(nodules, float), np.array(false, float))


TWO = [scan("a", [0.9, 0.4, -1], [0.8, 0.3, 0.1]), scan("b", [0.7, 0.2], [0.6, 0.5])]


@pytest.mark.parametrize(
    ("rate", "share"),
    [
        (0.0, 1 / 5),  # above 0.8: only 0.9
        (0.5, 2 / 5),  # one false mark in all (0.8): above 0.6
        (1.0, 2 / 5),  # two: above 0.5
        (1.5, 3 / 5),  # three: above 0.3
        (2.5, 4 / 5),  # all five: a nodule without a candidate is never found
        (9.0, 4 / 5),
    ],
)
def test_sensitivity_at_a_rate_of_false_marks(rate: float, share: float) -> None:
    assert sensitivity(TWO, rate)[0] == pytest.approx(share)


def test_the_interval_is_around_the_value_and_repeats() -> None:
    many = [scan(str(n), [0.9, 0.1 * (n % 7)], [0.05 * (n % 11), 0.3]) for n in range(12)]
    one = point(many, 1.0)
    assert 0 <= one.low <= one.sensitivity <= one.high <= 1
    assert one.high > one.low
    assert point(many, 1.0) == one


scores = st.lists(st.floats(0, 1, width=16), max_size=6)
scans = st.lists(st.tuples(scores, scores), min_size=1, max_size=5)


@given(scans, st.floats(0, 5), st.floats(0, 5))
def test_more_false_marks_never_find_less(
    drawn: list[tuple[list[float], list[float]]], one: float, other: float
) -> None:
    marks = [scan(str(n), *pair) for n, pair in enumerate(drawn)]
    low, high = sorted((one, other))
    assert sensitivity(marks, low)[0] <= sensitivity(marks, high)[0]
    threshold = sensitivity(marks, low)[1]
    told = sum(int((s.false >= threshold).sum()) for s in marks)
    assert told <= low * len(marks)
