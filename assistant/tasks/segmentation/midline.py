"""The plane between the left and the right of what was segmented, found from its own symmetry.

Brains lie a little turned and off the middle of the image, so no plane of the grid will do.  The
plane sought is the one that mirrors the segmented voxels best onto themselves.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from assistant.imaging.volume import Floats, Grid

_COARSE = 3.0  # mm
_POINTS = 20_000
_MOST_TILT = np.radians(25)


@dataclass(frozen=True, slots=True)
class Plane:
    """Points with ``normal · position > offset`` are on the patient's left; mm."""

    normal: Floats
    offset: float

    def is_left(self, grid: Grid) -> NDArray[np.bool_]:
        """For every voxel of ``grid`` whether it is on the left."""
        parts = self.normal @ grid.step
        lines = [np.arange(n) * part for n, part in zip(grid.shape, parts, strict=True)]
        height = lines[0][:, None, None] + lines[1][:, None] + lines[2]
        found: NDArray[np.bool_] = height > self.offset - float(self.normal @ grid.origin)
        return found


def plane(mask: NDArray[np.bool_], grid: Grid) -> Plane | None:
    """The plane of symmetry of ``mask``; None where it is empty.

    Sought from the plane through the middle of the mask across the patient's left–right axis.
    """
    steps = [max(round(_COARSE / size), 1) for size in grid.spacing]
    index = np.argwhere(mask[:: steps[0], :: steps[1], :: steps[2]]) * steps
    if len(index) < 2:
        return None
    rng = np.random.default_rng(0)
    if len(index) > _POINTS:
        index = index[rng.choice(len(index), _POINTS, replace=False)]
    positions = grid.positions(index.astype(float))
    middle = positions.mean(axis=0)
    blurred, low = _blurred(positions)

    def mirrored(given: Floats) -> float:
        normal = _normal(given[0], given[1])
        height = (positions - middle) @ normal - given[2]
        there = positions - 2 * height[:, None] * normal
        places = ((there - low) / _COARSE).T
        values = ndimage.map_coordinates(blurred, places, order=1, mode="constant")
        return -float(values.mean())

    start = np.zeros(3)
    size = np.array([[0, 0, 0], [0.15, 0, 0], [0, 0.15, 0], [0, 0, 5.0]])
    best = optimize.minimize(
        mirrored,
        start,
        method="Nelder-Mead",
        options={"initial_simplex": size, "xatol": 1e-3, "fatol": 1e-6, "maxiter": 200},
    )
    found = best.x if np.abs(best.x[:2]).max() < _MOST_TILT else start
    normal = _normal(found[0], found[1])
    return Plane(normal, float(normal @ middle + found[2]))


def _normal(yaw: float, roll: float) -> Floats:
    """A unit vector near the patient's left, turned about the other two axes (radians)."""
    found = np.array([np.cos(yaw) * np.cos(roll), np.sin(yaw), np.cos(yaw) * np.sin(roll)])
    unit: Floats = found / np.linalg.norm(found)
    return unit


def _blurred(positions: Floats) -> tuple[Floats, Floats]:
    """How much there is around each place of a coarse grid along the patient's axes, and its
    corner."""
    margin = 10 * _COARSE
    low = positions.min(axis=0) - margin
    counts = np.ceil((positions.max(axis=0) + margin - low) / _COARSE).astype(int) + 1
    held = np.zeros(counts)
    places = np.rint((positions - low) / _COARSE).astype(int)
    np.add.at(held, tuple(places.T), 1.0)
    blurred: Floats = ndimage.gaussian_filter(np.minimum(held, 1), 1.5)
    return blurred, low
