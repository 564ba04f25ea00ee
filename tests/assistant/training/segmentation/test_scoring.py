"""Dice and surface distances against boxes whose answers are known; the card says them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.training.segmentation import card, scoring
from assistant.training.segmentation.simulation import organs


def box(start: int, stop: int) -> np.ndarray:
    made = np.zeros((20, 20, 20), bool)
    made[start:stop, 4:12, 4:12] = True
    return made


@given(st.integers(0, 6), st.floats(0.5, 4))
@settings(max_examples=20, deadline=None)
def test_a_box_moved_along_an_axis(by: int, spacing: float) -> None:
    one, other = box(2, 10), box(2 + by, 10 + by)
    found = scoring.surface_distances(one, other, (spacing, 1.0, 1.0))
    assert found is not None
    # No surface voxel is farther away than the boxes were moved.
    assert found.max() <= by * spacing + 1e-9
    assert scoring.dice(one, other) == pytest.approx(2 * (8 - by) / 16)
    assert (found.max() == 0) == (by == 0)


def test_end_faces_are_as_far_apart_as_the_boxes_were_moved() -> None:
    found = scoring.surface_distances(box(2, 10), box(2, 13), (2.0, 1.0, 1.0))
    assert found is not None
    # The end face of the longer one is 3 slices of 2 mm beyond the shorter, at most.
    assert found.max() == pytest.approx(6)
    assert np.percentile(found, 95) <= 6


def test_nothing_to_measure_from() -> None:
    assert scoring.surface_distances(box(2, 4), box(3, 3), (1, 1, 1)) is None
    assert scoring.dice(box(3, 3), box(3, 3)) == 1
    found = scoring.scores("c", np.zeros((2, 3, 3), np.uint8), np.ones((2, 3, 3), np.uint8),
                           (1, 1, 1), ["liver", "spleen"])  # fmt: skip
    assert [(one.structure, one.dice, one.hd95) for one in found] == [("liver", 0, None)]


def test_the_card_says_what_was_found(tmp_path: Path) -> None:
    scores = [
        scoring.Score("a", "liver", 0.9, 2.0, 0.5),
        scoring.Score("b", "liver", 0.7, None, None),
        scoring.Score("a", "spleen", 0.5, 4.0, 1.5),
    ]
    epochs = [{"number": 1, "loss": 1.25, "right": 0.5, "seconds": 3.0}]
    card.write(tmp_path, {"name": "m", "tested_on": ["a", "b"]}, scores, epochs)
    plain = json.loads((tmp_path / card.PLAIN).read_text("utf-8"))
    assert plain["held_out"]["structures"]["liver"] == {
        "cases": 2, "dice": 0.8, "hd95": 2.0, "assd": 0.5,
    }  # fmt: skip
    text = (tmp_path / card.MARKDOWN).read_text("utf-8")
    assert "| liver | 2 | 0.8000 | 2.00 | 0.50 |" in text
    assert "科研用途" in text


def test_invented_organs_are_the_same_each_time_and_not_told_by_brightness() -> None:
    image, labels = organs((16, 48, 48), np.random.default_rng(4))
    again, _ = organs((16, 48, 48), np.random.default_rng(4))
    assert np.array_equal(image, again)
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    for number in (1, 2, 3):
        low, high = np.percentile(image[labels == number], (5, 95))
        others = image[labels != number]
        assert np.count_nonzero((others > low) & (others < high)) > 100
