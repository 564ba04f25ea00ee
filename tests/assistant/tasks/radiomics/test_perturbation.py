"""Perturbations change a region a little, always in the same way, and ICC tells how much."""

from __future__ import annotations

import numpy as np
import pytest
from imaging_samples import SPACING, ball, series

from assistant.imaging.series import assemble
from assistant.tasks.radiomics.perturbation import (
    SHARES,
    Perturbation,
    drawn_again,
    draws,
    noise_level,
    parts,
    perturbed,
    reproduced,
)
from assistant.tasks.radiomics.reliability import icc
from assistant.tasks.radiomics.settings import Settings


def test_icc_of_a_published_table() -> None:
    # Shrout and Fleiss (1979), table 2: six targets, four judges; ICC(1,1) is 0.17.
    table = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    assert icc(table) == pytest.approx(0.17, abs=0.005)
    assert icc([[1, 1], [2, 2]]) == 1
    assert icc([[3, 3], [3, 3]]) is None
    assert icc([[1, np.nan], [2, 2]]) is None


def test_noise_is_estimated_whatever_the_slope() -> None:
    noise = np.random.default_rng(1).normal(0, 12, (9, 60, 60))
    slope = np.arange(60) * 7.0
    assert noise_level(noise + slope) == pytest.approx(12, rel=0.1)
    assert noise_level(np.zeros((4, 8, 8)) + np.arange(8)) == pytest.approx(0, abs=1e-9)


def test_a_contour_is_drawn_a_little_otherwise() -> None:
    first, second = (drawn_again(ball(), SPACING, seed) for seed in (1, 2))
    assert (drawn_again(ball(), SPACING, 1) == first).all()
    assert (first != second).any()
    for one in (first, second):
        both = (one & ball()).sum() * 2 / (one.sum() + ball().sum())
        assert 0.6 < both < 1


def test_a_turn_moves_the_region_with_the_image() -> None:
    volume = assemble(series())
    still = perturbed(volume, ball(), Settings(), Perturbation(0.0, (0.0, 0.0, 0.0), 1, 1))
    turned = perturbed(volume, ball(), Settings(), Perturbation(10.0, (0.0, 0.0, 0.0), 1, 1))
    assert not np.array_equal(still.shape_mask, turned.shape_mask)
    # The ball stays bright under its mask.
    assert turned.values.mean() == pytest.approx(still.values.mean(), abs=25)


def test_parts_are_the_region_and_differ_in_size() -> None:
    made = parts(ball(), SPACING)
    assert (np.sum(made, axis=0) == ball()).all()
    shares = [part.sum() / ball().sum() for part in made]
    assert shares == pytest.approx(SHARES, abs=0.01)


def test_draws_are_the_same_for_each_region_and_a_small_region_has_no_icc() -> None:
    assert draws() == draws()
    small = np.zeros_like(ball())
    small[4, 9, 10:14] = True
    assert reproduced(assemble(series()), small, Settings()) == {}
