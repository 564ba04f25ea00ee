"""The midsagittal plane, found from the head itself, and what lies opposite."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, optimize

from assistant.imaging.volume import Grid, Mask
from assistant.tasks.perfusion.study import Floats

_WIDEST_TURN = 25.0  # degrees
_COARSE = 96


@dataclass(frozen=True, slots=True)
class Midline:
    """A line in the plane of slices: ``point`` and unit ``normal`` in pixels (row, column).

    ``normal`` looks to the patient's left.  ``likeness``: the correlation of the two halves.
    """

    point: Floats
    normal: Floats
    likeness: float

    def left(self, shape: tuple[int, int, int]) -> Mask:
        """The voxels on the patient's left."""
        rows, columns = np.indices(shape[1:])
        away = (rows - self.point[0]) * self.normal[0] + (columns - self.point[1]) * self.normal[1]
        return np.broadcast_to(away > 0, shape)

    def mirrored(self, volume: NDArray[np.generic], order: int = 0) -> NDArray[np.generic]:
        """A volume as seen in the mirror: each voxel has the value from the other side."""
        turn = np.eye(2) - 2 * np.outer(self.normal, self.normal)
        offset = self.point - turn @ self.point
        as_numbers = volume.astype(np.float32)
        planes = [
            ndimage.affine_transform(plane, turn, offset, order=order, mode="constant")
            for plane in as_numbers
        ]
        found = np.stack(planes)
        return found > 0.5 if volume.dtype == bool else found


def midline(before: NDArray[np.float32], brain: Mask, grid: Grid) -> Midline:
    """The line about which head and brain are most alike on both sides, the same in all slices.

    Pixels are taken as square.  ``before``: the head before contrast.
    """
    factor = max(1, max(brain.shape[1:]) // _COARSE)
    # Bone and brain by rank, so that neither outweighs the other.
    inside = np.where(brain, 1.0, np.where(before > np.percentile(before, 60), 0.5, 0.0))
    image = ndimage.gaussian_filter(inside.mean(axis=0), factor * 1.5)[::factor, ::factor]
    weights = image / max(image.sum(), 1e-9)
    rows, columns = np.indices(image.shape)
    centre = np.array([(weights * rows).sum(), (weights * columns).sum()])
    to_left = _to_left(grid)
    size = max(image.shape)

    def cost(parameters: Floats) -> float:
        line = _line(parameters, centre, to_left, size)
        return -_likeness(image, line)

    starts = [np.array([np.deg2rad(turn), 0.0]) for turn in np.arange(-20, 21, 5)]
    best = min(starts, key=cost)
    simplex = np.array([best, best + np.array([0.05, 0]), best + np.array([0, 0.02])])
    fit = optimize.minimize(
        cost, best, method="Nelder-Mead", options={"initial_simplex": simplex, "maxiter": 120}
    )
    parameters = fit.x if abs(np.rad2deg(fit.x[0])) <= _WIDEST_TURN else best
    line = _line(parameters, centre, to_left, size)
    point = line.point * factor
    return Midline(point, line.normal, -float(cost(parameters)))


def _to_left(grid: Grid) -> Floats:
    """The direction within a slice (row, column) that goes most to the patient's left (+x)."""
    towards = np.array([grid.axes[0, 1], grid.axes[0, 2]])
    if np.linalg.norm(towards) < 0.3:
        return np.array([0.0, 1.0])
    found: Floats = towards / np.linalg.norm(towards)
    return found


def _line(parameters: Floats, centre: Floats, to_left: Floats, size: int) -> Midline:
    turn, shift = parameters
    cosine, sine = np.cos(turn), np.sin(turn)
    normal = np.array([[cosine, -sine], [sine, cosine]]) @ to_left
    return Midline(centre + normal * shift * size, normal, 0.0)


def _likeness(image: Floats, line: Midline) -> float:
    other = line.mirrored(image[None], order=1)[0].astype(float)
    a, b = image - image.mean(), other - other.mean()
    norm = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / max(norm, 1e-9))
