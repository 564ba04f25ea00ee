"""From an image and a mask to what features are computed on.

Normalisation, resampling, re-segmentation by range and outliers, and discretisation, in the order
of the IBSI reference manual.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Floats, Mask, Volume, check_finite
from assistant.tasks.radiomics.filters.reach import is_flat, reach
from assistant.tasks.radiomics.resampling import Triple, box, cut, resample
from assistant.tasks.radiomics.settings import Bins, Settings

PEAK_RADIUS = (3 / (4 * np.pi)) ** (1 / 3) * 10
"""mm: of a sphere of 1 cm³, which local peaks look at."""

MAX_LEVELS = 65_000
MAX_REGION = 60_000_000
"""Voxels of the resampled part: a whole chest at 1 mm has 40 million."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An image part and its two masks: of the shape, and of the intensities that count.

    ``image`` reaches `surroundings` beyond the region where the whole image does.  ``bounds`` are
    those of the re-segmentation range, NaN where there is none.
    """

    image: Floats
    shape_mask: Mask
    mask: Mask
    spacing: Triple
    bounds: tuple[float, float]
    by_slice: bool

    @property
    def values(self) -> Floats:
        """The intensities of the region, voxel by voxel."""
        return self.image[self.mask]


@dataclass(frozen=True, slots=True)
class Levels:
    """Grey levels from 1 to ``count``, 0 outside of the region, cut to the region's box.

    ``shape_mask`` is the mask of the shape in the same box.
    """

    array: NDArray[np.int32]
    shape_mask: Mask
    count: int


def prepare(
    volume: Volume, mask: Mask, settings: Settings, shift: Triple = (0.0, 0.0, 0.0)
) -> Prepared:
    """The region as ``settings`` have it.  ``shift``: see `resample`.

    Raises `ImageProblem` where nothing is left of it.
    """
    volume = normalised(volume, settings)
    spacing = volume.grid.spacing
    wanted = wanted_spacing(spacing, settings)
    reach = surroundings(settings, wanted)
    _check_size(mask, spacing, wanted, reach)
    if wanted == spacing and not any(shift):
        part = cut(volume.array, mask, spacing, reach)
    else:
        how = settings.resampling.interpolation if settings.resampling else "linear"
        part = resample(volume.array, mask, spacing, wanted, how, reach, shift)
    check_finite(Volume(part.image, volume.grid))
    image = part.image
    rounded = volume.unit == "HU" if settings.rounded is None else settings.rounded
    if rounded:
        np.round(image, out=image)
    return segmented(image, part.mask, part.spacing, settings)


def segmented(image: Floats, mask: Mask, spacing: Triple, settings: Settings) -> Prepared:
    """Re-segmentation: intensities outside of the range, and outliers, leave the region.

    Mean and standard deviation for outliers are of the region before the range is applied.  Raises
    `ImageProblem` where fewer than two voxels are left.
    """
    low, high = settings.range or (None, None)
    bounds = (np.nan if low is None else low, np.nan if high is None else high)
    kept = mask.copy()
    if low is not None:
        kept &= image >= low
    if high is not None:
        kept &= image <= high
    if settings.outlier_sigma is not None and mask.any():
        values = image[mask]
        mean, reach = values.mean(), settings.outlier_sigma * values.std()
        kept &= (image >= mean - reach) & (image <= mean + reach)
    if np.count_nonzero(kept) < 2:
        raise ImageProblem(
            "重采样与重分割后区域不足两个体素，请放宽灰度范围或减小体素间距。",
            "Fewer than two voxels are left after resampling and re-segmentation; widen the range "
            "or use a smaller spacing.",
        )
    return Prepared(image, mask, kept, spacing, bounds, settings.by_slice)


def normalised(volume: Volume, settings: Settings) -> Volume:
    """The intensities as ``settings.normalisation`` has them; CT and PET have units and stay."""
    if settings.normalisation == "none" or volume.unit:
        return volume
    array = volume.array.astype(np.float64)
    if settings.normalisation == "zscore":
        spread = array.std()
        array = (array - array.mean()) / (spread if spread > 0 else 1) * 100
    else:
        low, high = np.percentile(array, [1, 99])
        array = (array - low) / (high - low if high > low else 1) * 100
    return volume.with_array(array)


def binned(values: Floats, bins: Bins, lower: float) -> tuple[NDArray[np.int32], int]:
    """Grey levels from 1 on of intensities, and how many levels there are.

    ``lower``: the lower bound of the re-segmentation range, or NaN.  Raises `ImageProblem` for too
    many levels.
    """
    least, greatest = float(values.min()), float(values.max())
    if bins.number is not None:
        if least == greatest:
            return np.full(values.shape, (bins.number + 1) // 2, np.int32), bins.number
        found = np.floor(bins.number * (values - least) / (greatest - least)) + 1
        return np.clip(found, 1, bins.number).astype(np.int32), bins.number
    width = bins.width or 1.0
    start = least
    if bins.start == "range" and not np.isnan(lower):
        start = lower
    elif bins.start == "multiple":
        start = np.floor(least / width) * width
    if (greatest - start) / width > MAX_LEVELS:
        raise ImageProblem(
            "离散化后灰度级过多，请增大 bins.width 或改用 bins.number。",
            "Too many grey levels; use a greater bins.width, or bins.number.",
        )
    found = np.maximum(np.floor((values - start) / width) + 1, 1).astype(np.int32)
    return found, int(found.max())


def discretised(region: Prepared, bins: Bins) -> Levels:
    """The grey levels of the region.  Raises `ImageProblem` for too many."""
    part = box(region.shape_mask | region.mask)
    mask = region.mask[part]
    levels, count = binned(region.image[part][mask], bins, region.bounds[0])
    array = np.zeros(mask.shape, np.int32)
    array[mask] = levels
    return Levels(array, region.shape_mask[part], count)


def wanted_spacing(spacing: Triple, settings: Settings) -> Triple:
    """The spacing after resampling (slice, row, column; mm)."""
    if settings.resampling is None:
        return spacing
    x, y, *z = settings.resampling.spacing
    return (spacing[0] if settings.by_slice else z[0], y, x)


def surroundings(settings: Settings, spacing: Triple) -> Triple:
    """mm of the image around the region (slice, row, column) that its features depend on."""
    depth = across = 0.0
    for one in settings.filters:
        if is_flat(one, settings.by_slice):
            across = max(across, reach(one, max(spacing[1:])))
        else:
            depth = max(depth, reach(one, max(spacing)))
    across = max(across, depth)
    return PEAK_RADIUS + depth, PEAK_RADIUS + across, PEAK_RADIUS + across


def _check_size(mask: Mask, spacing: Triple, wanted: Triple, reach: Triple) -> None:
    extent = [
        min((part.stop - part.start) * old + 2 * around, size * old) / new
        for part, old, new, around, size in zip(
            box(mask), spacing, wanted, reach, mask.shape, strict=True
        )
    ]
    # The sphere of local peaks is computed too, whatever the size of the image.
    sphere = [2 * PEAK_RADIUS / new for new in wanted]
    if max(np.prod(extent), np.prod(sphere)) > MAX_REGION:
        raise ImageProblem(
            "区域在所选间距下过大，请增大重采样间距。",
            "The region is too large at this spacing; use a greater one.",
        )
