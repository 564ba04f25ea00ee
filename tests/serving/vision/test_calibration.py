"""Temperatures: that of scores that are too sure is found, and errors shrink on other images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.vision.calibration import expected_error, fitted, temperature
from serving.vision.classifier import probabilities
from serving.vision.problem import VisionProblem


def sample(true: float, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits ``true`` times what the labels were drawn from."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(0, 2, (count, 4))
    shares = probabilities(honest)
    labels = (shares.cumsum(axis=1) > rng.uniform(size=(count, 1))).argmax(axis=1)
    return honest * true, labels


@pytest.mark.parametrize("true", [0.4, 1.0, 3.0])
def test_the_temperature_that_was_put_in_is_found(true: float) -> None:
    assert temperature(*sample(true, 4000, 1)) == pytest.approx(true, rel=0.08)


def test_too_sure_scores_are_told_before_and_after() -> None:
    scores, labels = sample(4.0, 1500, 2)
    found = fitted(scores, labels)
    assert found.before > 0.15
    assert found.after < 0.05
    assert found.temperature == pytest.approx(4, rel=0.15)
    assert found.accuracy == pytest.approx((scores.argmax(axis=1) == labels).mean())


def test_the_error_is_the_weighted_gap() -> None:
    shares = np.array([[0.9, 0.1]] * 10 + [[0.4, 0.6]] * 10)
    labels = np.array([0] * 5 + [1] * 5 + [1] * 6 + [0] * 4)
    # 0.9 sure and half right; 0.6 sure and six of ten right.
    assert expected_error(shares, labels) == pytest.approx(0.2)


@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_the_error_lies_between_0_and_1(classes: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = probabilities(rng.normal(0, 3, (count, classes)))
    assert 0 <= expected_error(shares, rng.integers(0, classes, count)) <= 1


def test_too_few_images_are_refused() -> None:
    scores, labels = sample(1.0, 19, 3)
    with pytest.raises(VisionProblem, match="20"):
        fitted(scores, labels)
    with pytest.raises(VisionProblem):
        fitted(np.zeros((30, 2)), np.zeros(30, np.int64))
