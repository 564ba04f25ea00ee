"""Contours become masks by the centres of voxels, holes included."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import points_in_poly

from assistant.imaging.contour import fill

SQUARE = np.array([[0.5, 0.5], [0.5, 4.5], [4.5, 4.5], [4.5, 0.5]])


def test_a_square_takes_the_centres_inside() -> None:
    found = fill([SQUARE], (6, 7))
    assert found.sum() == 16
    assert found[1:5, 1:5].all()


def test_a_contour_within_another_is_a_hole_whichever_way_round() -> None:
    inner = np.array([[1.5, 1.5], [1.5, 3.5], [3.5, 3.5], [3.5, 1.5]])
    for hole in (inner, inner[::-1]):
        found = fill([SQUARE, hole], (6, 7))
        assert found.sum() == 12
        assert not found[2:4, 2:4].any()


def test_a_keyhole_is_a_hole() -> None:
    inner = np.array([[1.5, 1.5], [1.5, 3.5], [3.5, 3.5], [3.5, 1.5], [1.5, 1.5]])
    keyhole = np.vstack([SQUARE, SQUARE[:1], inner])
    assert fill([keyhole], (6, 7)).sum() == 12


def test_what_lies_outside_of_the_image_is_cut() -> None:
    assert fill([SQUARE + 3], (6, 7)).sum() == 6
    assert not fill([SQUARE + 50], (6, 7)).any()
    assert not fill([SQUARE - 50], (6, 7)).any()


corner = st.tuples(st.floats(-3, 12).map(lambda v: v + 0.0137), st.floats(-3, 12))


@given(st.lists(corner, min_size=3, max_size=12))
def test_any_polygon_is_filled_as_another_library_fills_it(
    corners: list[tuple[float, float]],
) -> None:
    polygon = np.array(corners)
    found = fill([polygon], (10, 10))
    places = np.argwhere(np.ones((10, 10), bool)).astype(float)
    expected = points_in_poly(places, polygon).reshape(10, 10)
    # On an edge either side may be right.
    away = np.array([_distance(place, polygon) > 1e-6 for place in places]).reshape(10, 10)
    assert (found == expected)[away].all()


def _distance(place: np.ndarray, polygon: np.ndarray) -> float:
    least = np.inf
    for a, b in zip(polygon, np.roll(polygon, -1, 0), strict=True):
        along = b - a
        long = along @ along
        share = np.clip((place - a) @ along / long, 0, 1) if long > 0 else 0.0
        least = min(least, float(np.linalg.norm(place - a - share * along)))
    return least
