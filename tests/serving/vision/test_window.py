"""Windows that overlap: their weights, and that seams do not show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from serving.vision import window
from serving.vision.problem import Cancelled

sizes = st.tuples(*[st.integers(1, 12)] * 3)


@given(sizes)
def test_weights_are_even_greatest_in_the_middle_and_never_nothing(
    size: tuple[int, int, int],
) -> None:
    found = window.weights(size)
    assert found.shape == size
    assert found.max() == pytest.approx(1)
    assert (found > 0).all()
    for axis in range(3):
        assert np.allclose(found, np.flip(found, axis))
    middle = tuple((n - 1) // 2 for n in size)
    assert found[middle] == pytest.approx(found.max())


@given(st.integers(1, 200), st.integers(1, 64), st.floats(0, 0.9))
def test_windows_cover_an_axis_and_stay_inside(length: int, size: int, overlap: float) -> None:
    found = window.starts(length, size, overlap)
    covered = np.zeros(max(length, size), bool)
    for start in found:
        covered[start : start + size] = True
        assert start == 0 or start + size <= length
    assert covered.all()
    if length > size:
        assert found[-1] + size == length


def local(part: np.ndarray) -> np.ndarray:
    """Scores that look at one voxel only, so that any window gives the same."""
    return np.stack([0.5 - part, part, np.sin(9 * part)])


def each(score: Callable[[np.ndarray], np.ndarray]) -> window.Scores:
    """One window after the other."""

    def scores(parts: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        return (score(part) for part in parts)

    return scores


@pytest.mark.parametrize("shape", [(23, 17, 30), (4, 20, 9)])
def test_an_exact_model_answers_as_over_the_whole(shape: tuple[int, int, int]) -> None:
    volume = np.random.default_rng(0).uniform(size=shape).astype(np.float32)
    found = window.labels(each(local), volume, (8, 8, 8), 0.5, 0.0)
    assert np.array_equal(found, local(volume).argmax(axis=0))


def test_middles_count_more_than_edges() -> None:
    """Each window is wrong at its edge: with even weights that shows, with Gaussian ones not."""
    truth = (np.indices((24, 8, 8))[0] // 6 % 2).astype(np.float32)
    rim = np.ones((8, 8, 8), bool)
    rim[1:-1, 1:-1, 1:-1] = False

    def score(part: np.ndarray) -> np.ndarray:
        wrong = np.where(rim, 1 - part, part)
        return np.stack([1 - wrong, wrong])

    found = window.labels(each(score), truth, (8, 8, 8), 0.75, 0.0)
    inner = (slice(2, -2), slice(2, -2), slice(2, -2))
    assert np.array_equal(found[inner], truth[inner])


def test_it_stops_when_told() -> None:
    asked = iter([False, False, True])
    with pytest.raises(Cancelled):
        window.labels(
            each(local),
            np.zeros((16, 8, 8), np.float32),
            (4, 8, 8),
            0.0,
            0.0,
            cancelled=lambda: next(asked),
        )


def test_a_smooth_model_shows_no_seams() -> None:
    volume = ndimage.gaussian_filter(np.random.default_rng(4).normal(size=(40, 16, 16)), 2)
    volume = (volume / volume.std()).astype(np.float32)

    def score(part: np.ndarray) -> np.ndarray:
        made = ndimage.gaussian_filter(part, 1)
        return np.stack([-made, made])

    found = window.labels(each(score), volume, (16, 16, 16), 0.5, 0.0)
    whole = score(volume).argmax(axis=0)
    assert (found == whole).mean() > 0.99
