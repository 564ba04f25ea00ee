"""Rigid motion between the times, found on the head's edges and undone.

Gauss–Newton on the linearised difference of each frame and a reference (Lucas and Kanade), with a
gain and an offset, so that the contrast agent does not pass for motion.  A frame is moved only
where that lessens the difference, and a study in which nothing moves stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.tasks.perfusion.study import Floats, Study

_POINTS = 12_000
_SCALES = (3.0, 1.0)
_ROUNDS = 6
_STILL = 0.25  # of a pixel
_BETTER = 0.85
_SLICES_FOR_3D = 8
_EDGE_HU = 30.0
"""A pixel, at least, of a smoothed CT: edges of bone and air, which no contrast agent makes."""

_LEAST_POINTS = 200
_CLIP = (-200.0, 500.0)


@dataclass(frozen=True, slots=True)
class Motion:
    """Of each time: how far the head's surface had moved, in mm, and whether that was undone."""

    moved_mm: Floats
    corrected: NDArray[np.bool_]

    @property
    def greatest(self) -> float:
        """In millimetres."""
        return float(self.moved_mm.max())


def undone(study: Study, is_ct: bool) -> tuple[NDArray[np.float32], Motion]:
    """The frames of a study with their motion undone (a new array only where something moved)."""
    array, spacing = study.array, np.asarray(study.grid.spacing)
    count = len(array)
    reference = np.median(array[: max(3, min(count // 5, 7))], axis=0)
    levels = [_Level(reference, spacing, sigma, is_ct) for sigma in _SCALES]
    pixel = float(spacing[1:].min())
    moved, corrected = np.zeros(count), np.zeros(count, bool)
    if min(level.points for level in levels) < _LEAST_POINTS:
        return array, Motion(moved, corrected)
    result: NDArray[np.float32] | None = None
    start = np.zeros(6)
    for number, frame in enumerate(array):
        guess, errors = start, (1.0, 1.0)
        for level in levels:
            guess, errors = level.fitted(frame, guess)
        distance = levels[-1].displacement(guess)
        better = errors[1] < _BETTER * errors[0]
        if not better or distance < _STILL * pixel:
            start = np.zeros(6)
            continue
        start = guess
        moved[number], corrected[number] = distance, True
        if result is None:
            result = array.copy()
        result[number] = levels[-1].moved(frame, guess)
    return (array if result is None else result), Motion(moved, corrected)


class _Level:
    """The reference at one smoothness: its points of strong edges and their derivatives."""

    def __init__(
        self, reference: NDArray[np.float32], spacing: Floats, sigma: float, is_ct: bool
    ) -> None:
        self._spacing, self._sigma, self._is_ct = spacing, sigma, is_ct
        self._solid = reference.shape[0] >= _SLICES_FOR_3D
        image = self._smooth(reference)
        slopes = np.stack([_gradient(image, axis) for axis in range(3)])
        if not self._solid:
            slopes[0] = 0
        strength = (slopes**2).sum(axis=0)
        strength[:, [0, -1]] = 0
        strength[:, :, [0, -1]] = 0
        number = min(_POINTS, strength.size // 4)
        chosen = np.argpartition(strength.ravel(), -number)[-number:]
        if is_ct:
            chosen = chosen[strength.ravel()[chosen] > (_EDGE_HU / sigma) ** 2]
        self.points = len(chosen)
        self._index = np.stack(np.unravel_index(chosen, image.shape)).astype(np.float64)
        self._centre = (np.asarray(image.shape)[:, None] - 1) / 2
        self._values = image.ravel()[chosen].astype(np.float64)
        # Derivatives to the shift (mm) and to small turns about the three axes.
        per_mm = slopes.reshape(3, -1)[:, chosen] / spacing[:, None]
        away = (self._index - self._centre) * spacing[:, None]
        turns = np.cross(away.T, per_mm.T).T
        self._jacobian = np.concatenate([per_mm, turns]).T
        self._used = np.arange(6) if self._solid else np.array([1, 2, 3])
        self._away = away

    def fitted(
        self, frame: NDArray[np.float32], guess: Floats
    ) -> tuple[Floats, tuple[float, float]]:
        """The motion (shift in mm, turn in radians), and the error without and with it."""
        image = self._smooth(frame)
        found = guess.copy()
        first = self._error(image, np.zeros(6))
        best, least = (
            (found.copy(), self._error(image, found)) if guess.any() else (np.zeros(6), first)
        )
        for _ in range(_ROUNDS):
            values = self._sampled(image, found)
            columns = np.column_stack(
                [self._jacobian[:, self._used], self._values, np.ones(len(values))]
            )
            solution = np.linalg.lstsq(columns, values, rcond=None)[0]
            change = np.zeros(6)
            change[self._used] = solution[: len(self._used)] / max(solution[-2], 0.2)
            found = found - change
            error = self._error(image, found)
            if error < least:
                best, least = found.copy(), error
            if self.displacement(change) < 0.02 * float(self._spacing[1:].min()):
                break
        return best, (first, least)

    def displacement(self, motion: Floats) -> float:
        """How far the points are moved in the mean, mm."""
        shift = motion[:3, None] + np.cross(motion[3:], self._away.T).T
        return float(np.linalg.norm(shift, axis=0).mean())

    def moved(self, frame: NDArray[np.float32], motion: Floats) -> NDArray[np.float32]:
        """The frame put back."""
        spacing = self._spacing[:, None]
        index = np.indices(frame.shape, dtype=np.float32).reshape(3, -1)
        away = (index - self._centre) * spacing
        there = index + (_rotation(motion[3:]) @ away - away + motion[:3, None]) / spacing
        if not self._solid:
            there[0] = index[0]
        if self._solid:
            found = ndimage.map_coordinates(frame, there, order=1, mode="nearest")
        else:
            # Within slices there is time for cubic splines, which blur less.
            planes = there[1:].reshape(2, len(frame), -1).swapaxes(0, 1)
            found = np.stack(
                [
                    ndimage.map_coordinates(plane, at, order=3, mode="nearest")
                    for plane, at in zip(frame, planes, strict=True)
                ]
            )
        image: NDArray[np.float32] = found.reshape(frame.shape).astype(np.float32)
        return image

    def _sampled(self, image: NDArray[np.float32], motion: Floats) -> Floats:
        turned = _rotation(motion[3:]) @ self._away - self._away
        there = self._index + (turned + motion[:3, None]) / self._spacing[:, None]
        values: Floats = ndimage.map_coordinates(image, there, order=1, mode="nearest").astype(
            float
        )
        return values

    def _error(self, image: NDArray[np.float32], motion: Floats) -> float:
        """The spread of the difference after the best gain and offset, of the reference's own."""
        values = self._sampled(image, motion)
        columns = np.column_stack([self._values, np.ones(len(values))])
        solution = np.linalg.lstsq(columns, values, rcond=None)[0]
        return float(np.std(values - columns @ solution) / max(np.std(self._values), 1e-9))

    def _smooth(self, frame: NDArray[np.float32]) -> NDArray[np.float32]:
        image = np.clip(frame, *_CLIP) if self._is_ct else frame
        smooth: NDArray[np.float32] = ndimage.gaussian_filter(
            image, (0, self._sigma, self._sigma), truncate=2.5
        )
        return smooth


def _gradient(image: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    if image.shape[axis] < 2:
        return np.zeros_like(image)
    slope: NDArray[np.float32] = np.gradient(image, axis=axis)
    return slope


def _rotation(turn: Floats) -> Floats:
    from scipy.spatial.transform import Rotation

    matrix: Floats = Rotation.from_rotvec(turn).as_matrix()
    return matrix
