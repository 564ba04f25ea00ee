"""Local and global intensity peak: means over spheres of 1 cm³ (IBSI, 3.2)."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from assistant.imaging.volume import Floats, Mask
from assistant.tasks.radiomics.region import PEAK_RADIUS, Prepared
from assistant.tasks.radiomics.resampling import box

_TIE = 1e-9
"""Of the range of intensities: sums by Fourier transform are exact to far less."""


def local_intensity(region: Prepared) -> dict[str, float]:
    """The mean around the voxel of the greatest intensity, and the greatest mean of all voxels.

    The spheres reach beyond the region, not beyond the image.
    """
    reach = [int(PEAK_RADIUS / size) for size in region.spacing]
    part = box(region.mask, (reach[0], reach[1], reach[2]))
    image, mask = region.image[part], region.mask[part]
    sphere = _sphere(region.spacing, reach)
    highest = np.argwhere(mask & (image == image[mask].max()))
    peak = max(_mean(image, sphere, place, reach) for place in highest)
    means = _means(image, sphere, mask)
    near = means >= means.max() - _TIE * max(float(np.ptp(image)), 1e-300)
    places = np.argwhere(mask)[near]
    best = max(_mean(image, sphere, place, reach) for place in places[:64])
    return {"loc_peak_loc": float(peak), "loc_peak_glob": float(best)}


def _sphere(spacing: tuple[float, ...], reach: list[int]) -> Mask:
    steps = [np.arange(-n, n + 1) * size for n, size in zip(reach, spacing, strict=True)]
    z, y, x = np.meshgrid(*steps, indexing="ij")
    inside: Mask = z**2 + y**2 + x**2 <= PEAK_RADIUS**2
    return inside


def _means(image: Floats, sphere: Mask, mask: Mask) -> Floats:
    """The mean around each voxel of ``mask``."""
    kernel = sphere.astype(float)
    # About zero, where sums of large numbers would lose digits.
    middle = image.mean()
    sums = fftconvolve(image - middle, kernel, "same")
    number = np.round(fftconvolve(np.ones(image.shape), kernel, "same"))
    found: Floats = sums[mask] / number[mask] + middle
    return found


def _mean(image: Floats, sphere: Mask, place: np.ndarray, reach: list[int]) -> float:
    there, here = [], []
    for at, size, n in zip(place, image.shape, reach, strict=True):
        low, high = max(at - n, 0), min(at + n + 1, size)
        there.append(slice(low, high))
        here.append(slice(low - at + n, high - at + n))
    return float(image[tuple(there)][sphere[tuple(here)]].mean())
