"""Scores to probabilities."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from knowledge.clinical.calibration import Calibration, shipped_calibration, softmax

SCORES = st.lists(st.floats(-30, 30, width=32), min_size=1, max_size=20)


@given(SCORES, st.floats(0.5, 3), st.floats(0, 0.4))
def test_the_order_stays_and_a_part_is_left(scores: list[float], t: float, out: float) -> None:
    array = np.array(scores, np.float32)
    told = Calibration(t, out).probabilities(array)
    assert np.isclose(told.sum(), 1 - out)
    assert told[int(np.argmax(array))] == told.max()


def test_a_higher_temperature_is_less_sure() -> None:
    scores = np.array([3, 1, 0], np.float32)
    assert Calibration(2).probabilities(scores)[0] < softmax(scores)[0]
    assert 0 < shipped_calibration().outside < 0.5
