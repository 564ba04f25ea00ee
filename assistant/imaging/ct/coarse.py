"""The image in blocks of about 3 mm: what is searched there is refined on the image itself."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.volume import Mask

BLOCK = 3.0
"""Millimetres."""

Box = tuple[slice, slice, slice]


@dataclass(frozen=True, slots=True)
class Coarse:
    """Means of blocks; ``factors`` are voxels to a block, ``spacing`` is the blocks' own (mm)."""

    hu: NDArray[np.float32]
    factors: tuple[int, int, int]
    spacing: tuple[float, float, float]
    shape: tuple[int, int, int]

    @classmethod
    def of(cls, hu: NDArray[np.int16], spacing: tuple[float, float, float]) -> Coarse:
        """Blocks of ``hu``; the last ones may be smaller."""
        z, y, x = (
            max(1, min(round(BLOCK / size), count))
            for size, count in zip(spacing, hu.shape, strict=True)
        )
        means: NDArray[np.generic] = hu
        for axis, factor in enumerate((z, y, x)):
            means = _mean(means, factor, axis)
        sizes = (spacing[0] * z, spacing[1] * y, spacing[2] * x)
        return cls(means.astype(np.float32), (z, y, x), sizes, hu.shape)

    @property
    def millilitres(self) -> float:
        """Of a block."""
        return float(np.prod(self.spacing)) / 1000

    def fine(self, mask: Mask, box: Box | None = None) -> Mask:
        """A mask of blocks on the image's own voxels, or on those of ``box``."""
        parts = box or tuple(slice(0, size) for size in self.shape)
        index = [
            np.minimum(np.arange(part.start, part.stop) // factor, size - 1)
            for part, factor, size in zip(parts, self.factors, mask.shape, strict=True)
        ]
        return mask[np.ix_(*index)]

    def box(self, mask: Mask, margin_mm: float) -> Box:
        """The image's voxels around the blocks of ``mask``, which has some."""
        found = ndimage.find_objects(mask.astype(np.uint8))[0]
        parts = []
        for part, size, factor, count in zip(
            found, self.spacing, self.factors, self.shape, strict=True
        ):
            more = int(np.ceil(margin_mm / size))
            start, stop = (part.start - more) * factor, (part.stop + more) * factor
            parts.append(slice(max(start, 0), min(stop, count)))
        z, y, x = parts
        return z, y, x

    def around(self, box: tuple[slice, ...], margin_mm: float) -> Box:
        """``box``, in blocks, with a margin."""
        z, y, x = (
            slice(
                max(part.start - int(np.ceil(margin_mm / size)) - 1, 0),
                part.stop + int(np.ceil(margin_mm / size)) + 1,
            )
            for part, size in zip(box, self.spacing, strict=True)
        )
        return z, y, x

    def cropped(self, box: Box) -> Coarse:
        """The blocks of ``box`` alone."""
        return replace(self, hu=self.hu[box])

    def distance(self, mask: Mask) -> NDArray[np.float64]:
        """Millimetres from each voxel of ``mask`` to the nearest outside; the image's border is
        no outside, since organs go on beyond it."""
        found = np.zeros(mask.shape)
        bounds = ndimage.find_objects(mask.view(np.uint8))
        if not bounds:
            return found
        # Beyond one block around the mask nothing is nearer than what lies there.
        box = self.around(bounds[0], 0)
        part = mask[box]
        found[box] = np.inf if part.all() else ndimage.distance_transform_edt(part, self.spacing)
        return found

    def dilated(self, mask: Mask, millimetres: float) -> Mask:
        """All blocks within ``millimetres`` of ``mask``."""
        bounds = ndimage.find_objects(mask.view(np.uint8))
        if not bounds:
            return mask
        box = self.around(bounds[0], millimetres)
        found = np.zeros(mask.shape, bool)
        found[box] = ndimage.distance_transform_edt(~mask[box], self.spacing) <= millimetres
        return found


def _mean(array: NDArray[np.generic], factor: int, axis: int) -> NDArray[np.generic]:
    if factor == 1:
        return array
    starts = np.arange(0, array.shape[axis], factor)
    sums = np.add.reduceat(array, starts, axis=axis, dtype=np.float32)
    counts = np.diff(np.append(starts, array.shape[axis])).astype(np.float32)
    shape = [1, 1, 1]
    shape[axis] = -1
    means: NDArray[np.generic] = sums / counts.reshape(shape)
    return means
