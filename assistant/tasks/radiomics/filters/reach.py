"""How far around a region a filter looks."""

from __future__ import annotations

from assistant.tasks.radiomics.filters import gabor, laplacian
from assistant.tasks.radiomics.filters.choice import (
    Filter,
    Gabor,
    Laws,
    Log,
    Mean,
    Simoncelli,
    Wavelet,
)
from assistant.tasks.radiomics.filters.wavelet import low_pass

EVERYTHING = 1e6
"""mm: a reach that no image has."""


def is_flat(one: Filter, by_slice: bool) -> bool:
    """Whether the filter works slice by slice."""
    return by_slice if one.by_slice is None else one.by_slice


def reach(one: Filter, spacing: float) -> float:
    """mm around the region on which its response depends; ``spacing``: the greatest, mm."""
    if one.boundary == "periodic" or isinstance(one, Simoncelli) or has_riesz(one):
        return EVERYTHING
    return half_width(one, spacing) * spacing


def half_width(one: Filter, spacing: float) -> int:
    """Voxels on each side of the centre of its kernel, or a few more."""
    if isinstance(one, Mean):
        return one.support // 2
    if isinstance(one, Log):
        return laplacian.half_width(one.sigma / spacing, one.truncate) + 1
    if isinstance(one, Laws):
        return 2 + one.energy
    if isinstance(one, Gabor):
        return gabor.half_width(one, spacing)
    if isinstance(one, Wavelet):
        return len(low_pass(one.family)) * ((1 << one.level) - 1)
    return 0


def has_riesz(one: Filter) -> bool:
    """Whether a Riesz transform is part of the filter."""
    return isinstance(one, Log | Simoncelli) and any(one.riesz)
