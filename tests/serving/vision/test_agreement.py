"""Average precision: examples by hand, and what must hold of any boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.vision.agreement import average_precision, side_by_side
from serving.vision.boxes import NOTHING, Found


def boxes(*rows: tuple[float, float, float, int]) -> Found:
    """(left, top, score, class), each of 10 by 10."""
    corners = np.array([[x, y, x + 10, y + 10] for x, y, _, _ in rows], float).reshape(-1, 4)
    scores = np.array([one[2] for one in rows], float)
    return Found(corners, scores, np.array([one[3] for one in rows], np.int64))


def test_a_list_with_one_false_box_between_two_right_ones() -> None:
    truth = boxes((0, 0, 1, 1), (50, 0, 1, 1), (0, 50, 1, 1))
    found = boxes((0, 1, 0.9, 1), (90, 90, 0.8, 1), (51, 0, 0.7, 1))
    # Precision 1 up to a recall of 1/3, 2/3 up to 2/3, then nothing.
    assert average_precision(found, truth) == pytest.approx((1 + 2 / 3) / 3)


def test_a_second_box_on_the_same_thing_is_false() -> None:
    truth = boxes((0, 0, 1, 1))
    assert average_precision(boxes((0, 0, 0.5, 1), (0, 0, 0.9, 1)), truth) == 1
    two = boxes((0, 0, 1, 1), (50, 50, 1, 1))
    found = boxes((0, 0, 0.9, 1), (0, 0, 0.8, 1), (50, 50, 0.7, 1))
    assert average_precision(found, two) == pytest.approx((1 + 2 / 3) / 2)


def test_classes_count_alike_and_images_do_not_mix() -> None:
    truth = boxes((0, 0, 1, 1), (0, 50, 1, 2))
    assert average_precision(boxes((0, 0, 1, 1), (0, 50, 1, 1)), truth) == pytest.approx(0.5)
    first, second = boxes((0, 0, 1, 1)), boxes((30, 0, 1, 1))
    turned = average_precision(side_by_side([second, first]), side_by_side([first, second]))
    assert turned == 0
    assert average_precision(NOTHING, NOTHING) == 1
    assert average_precision(first, NOTHING) == 0
    assert average_precision(NOTHING, first) == 0


place = st.integers(0, 9).map(lambda n: 20.0 * n)


@given(st.lists(st.tuples(place, place, st.floats(0, 1), st.integers(1, 3)), max_size=12))
def test_what_is_compared_with_itself_agrees(rows: list[tuple[float, float, float, int]]) -> None:
    alone = list({(x, y, number): (x, y, score, number) for x, y, score, number in rows}.values())
    found = boxes(*alone)
    assert average_precision(found, found) == pytest.approx(1)
    if alone:
        assert average_precision(found.of(np.arange(1, len(alone))), found) < 1
