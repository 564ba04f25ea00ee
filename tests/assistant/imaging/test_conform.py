"""Images on a network's grid and labels back on their own, whatever their axes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.imaging.conform import back, conformed, scaled, target_grid
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Volume
from serving.vision.description import Description, Intensity

AXES = np.eye(3)
LIA = Description(orientation="LIA", spacing=(1.0, 1.0, 1.0), size=(40, 40, 40))


def blob(grid: Grid) -> np.ndarray:
    """Intensities that are a function of the place in the patient."""
    places = np.indices(grid.shape).reshape(3, -1).T
    x, y, z = grid.positions(places.astype(float)).T
    inside = (x - 3) ** 2 + (y / 1.5) ** 2 + (z + 2) ** 2 < 60
    return (inside * (10 + x)).reshape(grid.shape).astype(np.float32)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, -1), (-1, -1, -1)])
def test_turned_axes_are_moved_voxel_by_voxel(
    order: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    axes = AXES[:, list(order)] * signs
    shape = (24, 26, 28)
    middle = axes @ (np.array(shape) - 1) / 2
    grid = Grid(shape, (1.0, 1.0, 1.0), -middle, axes)
    volume = Volume(blob(grid), grid)
    found = conformed(volume, LIA)
    assert found.array.shape == (40, 40, 40)
    assert np.allclose(found.grid.axes.T, [[1, 0, 0], [0, 0, -1], [0, -1, 0]])
    # The same function of the same places, where there is an image.
    assert np.allclose(found.array[found.array != 0], blob(found.grid)[found.array != 0], atol=1e-4)
    assert np.count_nonzero(found.array) == np.count_nonzero(volume.array)
    labels = (found.array > 12).astype(np.uint8)
    assert np.array_equal(back(labels, found.grid, grid), volume.array > 12)


@settings(max_examples=25)
@given(
    st.tuples(*[st.floats(0.6, 2.5)] * 3),
    st.floats(-0.5, 0.5),
    st.tuples(*[st.floats(-20, 20)] * 3),
)
def test_other_spacings_and_turns_keep_the_place(
    spacing: tuple[float, float, float], angle: float, origin: tuple[float, float, float]
) -> None:
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    axes = turn @ AXES[:, ::-1]
    shape = tuple(int(36 / one) + 1 for one in spacing)
    middle = axes @ (np.array(spacing) * (np.array(shape) - 1) / 2)
    grid = Grid((shape[0], shape[1], shape[2]), spacing, np.array(origin) - middle, axes)
    moved = Grid(grid.shape, spacing, grid.origin - origin, axes)
    image = blob(moved)
    found = conformed(Volume(image, grid), LIA)
    labels = (found.array > 5).astype(np.uint8)
    again = back(labels, found.grid, grid) > 0
    truth = image > 5
    both = 2 * (again & truth).sum() / (again.sum() + truth.sum())
    assert both > 0.85
    centre = found.grid.positions(np.argwhere(labels).mean(axis=0)[None])[0]
    wanted = grid.positions(np.argwhere(truth).mean(axis=0)[None])[0]
    assert np.abs(centre - wanted).max() < 0.6


def test_without_a_wish_the_image_stays_as_it_is() -> None:
    grid = Grid((5, 6, 7), (3.0, 0.8, 0.8), np.array([1.0, 2, 3]))
    volume = Volume(np.random.default_rng(0).uniform(size=(5, 6, 7)).astype(np.float32), grid)
    found = conformed(volume, Description())
    assert found.grid.same_as(grid)
    assert np.array_equal(found.array, volume.array)


def test_scaling() -> None:
    image = np.float32([[[0, 50, 100, 200]]])
    assert scaled(image, Intensity()).ravel().tolist() == [0, 0.25, 0.5, 1]
    cut = Intensity(kind="range", low=50, high=100)
    assert scaled(image, cut).ravel().tolist() == [0, 0, 1, 1]
    even = scaled(image, Intensity(kind="zscore"))
    assert even.mean() == pytest.approx(0, abs=1e-6)
    assert even.std() == pytest.approx(1, abs=1e-6)
    with pytest.raises(ImageProblem, match="灰度相同"):
        scaled(np.ones((2, 2, 2), np.float32), Intensity())


def test_what_would_grow_too_large_or_has_no_numbers_is_refused() -> None:
    grid = Grid((900, 900, 900), (1.0, 1.0, 1.0))
    with pytest.raises(ImageProblem, match="过大"):
        target_grid(grid, Description(spacing=(0.5, 0.5, 0.5)))
    image = np.full((3, 3, 3), np.nan, np.float32)
    with pytest.raises(ImageProblem, match="NaN"):
        conformed(Volume(image, Grid((3, 3, 3), (1.0, 1.0, 1.0))), Description())
