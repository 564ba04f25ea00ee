"""Resampling an image and a region to another spacing, as IBSI has it.

The new grid has the centre of the old one; as many voxels as the old extent needs, rounded up.
Only the part around the region is computed; a margin keeps it the same as in the whole image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Floats, Mask

_ORDER = {"nearest": 0, "linear": 1, "cubic": 3}
_MARGIN = 24
"""Voxels.  A cubic spline's coefficients depend on far voxels with a factor of 0.268 a voxel:
what lies 24 away changes them by 10^-14."""

_INSIDE = 0.5 - 1e-9
"""A fraction of a half is inside; rounding in the sum must not turn it."""

Triple = tuple[float, float, float]
Slices = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class Cut:
    """Image and region around the region.  ``start`` is the index of its first voxel in the whole
    (resampled) image, ``whole`` the size of that."""

    image: Floats
    mask: Mask
    spacing: Triple
    start: tuple[int, int, int]
    whole: tuple[int, int, int]


def box(mask: NDArray[np.generic], margin: tuple[int, ...] = (0, 0, 0)) -> Slices:
    """The smallest part of an array with everything in ``mask``, and ``margin`` voxels around."""
    found = []
    for axis in range(3):
        other = tuple(a for a in range(3) if a != axis)
        filled = np.flatnonzero(mask.any(axis=other))
        low = max(int(filled[0]) - margin[axis], 0)
        high = min(int(filled[-1]) + 1 + margin[axis], mask.shape[axis])
        found.append(slice(low, high))
    return found[0], found[1], found[2]


def cut(image: NDArray[np.floating], mask: Mask, spacing: Triple, reach: Triple) -> Cut:
    """The part around the region without resampling; ``reach`` in mm (slice, row, column)."""
    margin = tuple(int(far / size) + 1 for far, size in zip(reach, spacing, strict=True))
    part = box(mask, margin)
    start = (part[0].start, part[1].start, part[2].start)
    whole = (mask.shape[0], mask.shape[1], mask.shape[2])
    return Cut(image[part].astype(np.float64), mask[part].copy(), spacing, start, whole)


def resample(
    image: NDArray[np.floating],
    mask: Mask,
    spacing: Triple,
    wanted: Triple,
    interpolation: str,
    reach: Triple,
    shift: Triple = (0.0, 0.0, 0.0),
) -> Cut:
    """The part around the region at the spacing ``wanted`` (slice, row, column; mm).

    ``reach``: mm of the image around the region that are kept, in the same order.  ``shift``: mm by
    which the new grid is moved, to see how much the features depend on where it happens to lie.
    """
    size = np.asarray(mask.shape)
    step = np.asarray(wanted) / np.asarray(spacing)
    whole = np.maximum(np.ceil(size / step - 1e-6), 1).astype(int)
    origin = (size - 1) / 2 - (whole - 1) / 2 * step + np.asarray(shift) / np.asarray(spacing)
    around = box(mask)
    margin = np.asarray(reach) / np.asarray(wanted) + 1
    low = np.array([part.start - 1 for part in around])
    high = np.array([part.stop for part in around])
    first = np.clip(np.floor((low - origin) / step - margin), 0, whole - 1).astype(int)
    last = np.clip(np.ceil((high - origin) / step + margin), 0, whole - 1).astype(int)
    shape = tuple(int(n) for n in last - first + 1)
    source_low = np.clip(np.floor(origin + first * step).astype(int) - _MARGIN, 0, size - 1)
    source_high = np.clip(np.ceil(origin + last * step).astype(int) + _MARGIN + 1, 1, size)
    part = tuple(slice(a, b) for a, b in zip(source_low, source_high, strict=True))
    offset = origin + first * step - source_low
    moved = _interpolated(image[part].astype(np.float64), step, offset, shape, interpolation)
    # A region is never interpolated with splines: they overshoot at its border.
    order = "nearest" if interpolation == "nearest" else "linear"
    inside = _interpolated(mask[part].astype(np.float64), step, offset, shape, order) >= _INSIDE
    start = (int(first[0]), int(first[1]), int(first[2]))
    extent = (int(whole[0]), int(whole[1]), int(whole[2]))
    return Cut(moved, inside, wanted, start, extent)


def _interpolated(
    source: Floats, step: Floats, offset: Floats, shape: tuple[int, ...], interpolation: str
) -> Floats:
    """``source`` at ``offset + step · index``; beyond its border it goes on as it ends.

    Splines on a grid are a product of one matrix an axis, which is much quicker than the sum over
    the neighbours of each voxel.
    """
    found = source
    for axis in range(3):
        matrix = _matrix(source.shape[axis], step[axis], offset[axis], shape[axis], interpolation)
        found = np.moveaxis(np.tensordot(matrix, found, (1, axis)), 0, axis)
    return np.ascontiguousarray(found)


def _matrix(size: int, step: float, offset: float, wanted: int, interpolation: str) -> Floats:
    """(wanted, size): what each old voxel of a line gives to each new one."""
    order = _ORDER[interpolation] if size > 1 else 0
    matrix = np.empty((wanted, size))
    for place, line in enumerate(np.eye(size)):
        matrix[:, place] = ndimage.affine_transform(
            line, [step], offset, output_shape=(wanted,), order=order, mode="nearest"
        )
    return matrix
