"""Perturbing an image and a region: what a feature does when nothing of the patient changes.

Rotation, translation, noise and the contour's uncertainty, as Zwanenburg et al. (Sci Rep 2019,
9:614) chain them; the contour is moved by a smooth random field instead of by supervoxels.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Floats, Grid, Mask, Volume
from assistant.tasks.radiomics.extraction import Report, values
from assistant.tasks.radiomics.region import (
    Prepared,
    normalised,
    prepare,
    surroundings,
    wanted_spacing,
)
from assistant.tasks.radiomics.reliability import icc
from assistant.tasks.radiomics.resampling import Triple, box
from assistant.tasks.radiomics.settings import Settings

REPEATS = 8
SHARES = (0.1, 0.2, 0.3, 0.4)
"""Of the voxels of a region in its parts.  They differ, so that sizes differ too."""

SEED = 20260101

_MOST_DEGREES = 10.0
_CONTOUR_SPREAD = 1.0  # mm, of where a contour is drawn
_CONTOUR_SMOOTH = 5.0  # mm, over which it stays on one side
_ROOM = 15.0  # mm around the region, for what turns and grows
_LEAST_PART = 16  # voxels


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One draw of everything.  ``shift`` is in parts of the resampled spacing."""

    degrees: float
    shift: Triple
    noise: int
    contour: int


def draws(count: int = REPEATS, seed: int = SEED) -> list[Perturbation]:
    """Perturbations that are the same for each region."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        z, y, x = random.uniform(0, 1, 3)
        seeds = random.integers(0, 2**31, 2)
        angle = float(random.uniform(-_MOST_DEGREES, _MOST_DEGREES))
        shift = (float(z), float(y), float(x))
        found.append(Perturbation(angle, shift, int(seeds[0]), int(seeds[1])))
    return found


def perturbed(volume: Volume, mask: Mask, settings: Settings, draw: Perturbation) -> Prepared:
    """The region as it might have been measured another time.  Raises `ImageProblem`."""
    volume, mask = _around(normalised(volume, settings), mask, settings)
    spacing = volume.grid.spacing
    noise = np.random.default_rng(draw.noise).normal(0, noise_level(volume.array), mask.shape)
    array = volume.array + noise
    moved = drawn_again(mask, spacing, draw.contour)
    if draw.degrees:
        array = _turned(array, spacing, draw.degrees, 3)
        moved = _turned(moved.astype(float), spacing, draw.degrees, 1) >= 0.5
    if np.count_nonzero(moved) < 2:
        raise ImageProblem("扰动后区域过小。", "The region is too small to be perturbed.")
    wanted = wanted_spacing(spacing, settings)
    depth = 0.0 if settings.by_slice else wanted[0] * draw.shift[0]
    shift = (depth, wanted[1] * draw.shift[1], wanted[2] * draw.shift[2])
    plain = settings.model_copy(update={"normalisation": "none"})
    return prepare(volume.with_array(array), moved, plain, shift)


def noise_level(array: np.ndarray) -> float:
    """The standard deviation of the noise, from differences that edges and slopes leave out.

    Immerkær's mask (1996) within slices, with the median so that edges count less.
    """
    kernel = np.array([[1.0, -2.0, 1.0], [-2.0, 4.0, -2.0], [1.0, -2.0, 1.0]])
    found = ndimage.convolve(np.asarray(array, float), kernel[None], mode="nearest")
    # The kernel's norm is 6; the median of |normal| is 0.6745 of the deviation.
    return float(np.median(np.abs(found)) / 6 / 0.6745)


def drawn_again(mask: Mask, spacing: Triple, seed: int) -> Mask:
    """The region with its contour where another hand might have drawn it."""
    depth: Floats = ndimage.distance_transform_edt(mask, sampling=spacing)
    outside: Floats = ndimage.distance_transform_edt(~mask, sampling=spacing)
    field = np.random.default_rng(seed).normal(size=mask.shape)
    field = ndimage.gaussian_filter(field, [_CONTOUR_SMOOTH / size for size in spacing])
    spread = field.std()
    if spread > 0:
        field *= _CONTOUR_SPREAD / spread
    # The contour itself lies half a voxel beyond the outermost one.
    half = 0.5 * min(spacing)
    signed = np.where(mask, depth - half, half - outside)
    moved: Mask = signed + field > 0
    return moved


def parts(mask: Mask, spacing: Triple) -> list[Mask]:
    """The region in parts of `SHARES`, one after the other along its longest axis."""
    places = np.argwhere(mask)
    centred = (places - places.mean(0)) * spacing
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    order = np.argsort(centred @ axes[0], kind="stable")
    found = []
    bounds = np.round(np.cumsum(SHARES)[:-1] * len(order)).astype(int)
    for chosen in np.split(order, bounds):
        part = np.zeros_like(mask)
        part[tuple(places[chosen].T)] = True
        found.append(part)
    return found


def reproduced(
    volume: Volume,
    mask: Mask,
    settings: Settings,
    report: Report | None = None,
    repeats: int = REPEATS,
) -> dict[str, float | None]:
    """ICC(1,1) of each feature over perturbations of this one region.

    One region has no spread between patients to hold against that of the perturbations; what
    stands for it is the spread between its `parts`.  A cohort's ICC is that between its patients.
    None where parts are too small to be measured.
    """
    if np.count_nonzero(mask) * min(SHARES) < _LEAST_PART:
        return {}
    made = parts(mask, volume.grid.spacing)
    rows = []
    for number, part in enumerate(made):
        rows.append(measured_again(volume, part, settings, repeats))
        if report:
            report(number + 1, len(made), "扰动 perturbations")
    tags = {tag for row in rows for one in row for tag in one}
    return {
        tag: icc([[one.get(tag, np.nan) for one in row] for row in rows]) for tag in sorted(tags)
    }


def measured_again(
    volume: Volume, mask: Mask, settings: Settings, repeats: int = REPEATS
) -> list[dict[str, float]]:
    """The features of a region under each perturbation; nothing where one cannot be measured."""
    found = []
    for draw in draws(repeats):
        try:
            found.append(values(perturbed(volume, mask, settings, draw), settings))
        except ImageProblem:
            found.append({})
    return found


def _around(volume: Volume, mask: Mask, settings: Settings) -> tuple[Volume, Mask]:
    """The part with room to turn and grow, and for what filters look at."""
    spacing = volume.grid.spacing
    room = surroundings(settings, wanted_spacing(spacing, settings))
    margin = tuple(int((_ROOM + far) / size) + 1 for far, size in zip(room, spacing, strict=True))
    part = box(mask, margin)
    array, inside = volume.array[part], mask[part]
    shape = (array.shape[0], array.shape[1], array.shape[2])
    grid = Grid(shape, volume.grid.spacing, volume.grid.origin, volume.grid.axes)
    return replace(volume, array=array.astype(np.float64), grid=grid), inside


def _turned(array: Floats, spacing: Triple, degrees: float, order: int) -> Floats:
    """Turned within slices about the middle."""
    angle = np.deg2rad(degrees)
    sizes = np.asarray(spacing[1:])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn * sizes / sizes[:, None]
    middle = (np.asarray(array.shape[1:]) - 1) / 2
    offset = middle - matrix @ middle
    found = np.empty_like(array)
    for target, one in zip(found, array, strict=True):
        ndimage.affine_transform(one, matrix, offset, output=target, order=order, mode="nearest")
    return found
