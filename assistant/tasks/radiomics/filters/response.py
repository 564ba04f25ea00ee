"""The response map of a filter on a prepared region."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.filters import gabor, laplacian, spectral
from assistant.tasks.radiomics.filters.choice import (
    Filter,
    Gabor,
    Laws,
    Log,
    Mean,
    Wavelet,
)
from assistant.tasks.radiomics.filters.laws import laws
from assistant.tasks.radiomics.filters.reach import half_width, has_riesz, is_flat
from assistant.tasks.radiomics.filters.separable import box_mean
from assistant.tasks.radiomics.filters.wavelet import wavelet
from assistant.tasks.radiomics.region import Prepared

_MAX_KERNEL = 250
"""Voxels on each side of the centre of a kernel that is given in mm: a Gabor kernel of more
takes gigabytes."""

_UNEVEN = 0.01
"""By how much the spacings along the axes of a filter may differ, as a share."""


def response(region: Prepared, one: Filter) -> Prepared:
    """The region with the response in place of the image; it has no bounds.

    Raises `ImageProblem` where the voxels are not as long as they are wide, or a constant
    response has no values to describe.
    """
    flat = is_flat(one, region.by_slice)
    spacing = _even(region, flat)
    _check_kernel(one, half_width(one, spacing))
    found = _response(region.image, one, spacing, flat)
    if not np.isfinite(found[region.mask]).all():
        raise ImageProblem(
            f"滤波 {one.label} 的结果含无穷大，请检查参数。",
            f"The response of {one.label} is not finite; look at its parameters.",
        )
    return replace(region, image=found, bounds=(math.nan, math.nan))


def _response(image: Floats, one: Filter, spacing: float, flat: bool) -> Floats:
    axes = 2 if flat else 3
    if isinstance(one, Mean):
        return box_mean(image, one.support, one.boundary, axes)
    if isinstance(one, Laws):
        return laws(image, one)
    if isinstance(one, Wavelet):
        return wavelet(image, one)
    if isinstance(one, Gabor):
        return gabor.gabor(image, one, spacing, flat)
    if isinstance(one, Log):
        sigma = one.sigma / spacing
        found = laplacian.laplacian(image, sigma, one.truncate, one.boundary, axes)
        return spectral.riesz(found, axes, one.riesz) if has_riesz(one) else found
    return spectral.simoncelli(image, one.level, axes, one.riesz)


def _check_kernel(one: Filter, voxels: int) -> None:
    if voxels > _MAX_KERNEL and isinstance(one, Log | Gabor):
        raise ImageProblem(
            f"滤波 {one.label} 的核相对体素过大，请减小 sigma 或增大体素间距。",
            f"The kernel of {one.label} has too many voxels; use a smaller sigma or a greater "
            "spacing.",
        )


def _even(region: Prepared, flat: bool) -> float:
    """The one spacing along the axes of the filter.  Raises `ImageProblem` where there are two."""
    sizes = region.spacing[1:] if flat else region.spacing
    if max(sizes) > min(sizes) * (1 + _UNEVEN):
        raise ImageProblem(
            "滤波需要等边体素，请在设置中给出各向相同的 resampling.spacing，或设 by_slice: true。",
            "Filters need voxels of equal sides; set resampling.spacing alike along all axes, or "
            "by_slice: true.",
        )
    return max(sizes)
