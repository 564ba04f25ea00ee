"""Neighbourhood grey tone difference, distance 1 (IBSI, 3.10)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.features.neighbours import half, pair, slice_numbers
from assistant.tasks.radiomics.region import Levels

_MOST = 1e6
"""The coarseness of a region without any differences, which would be infinite."""

_NAMES = ("coarseness", "contrast", "busyness", "complexity", "strength")


def tone_difference(levels: Levels, ways: Sequence[str]) -> dict[str, float]:
    """The features with their way (2D, 2_5D, 3D) in the name, as ``ngt_busyness_3D``."""
    found: dict[str, float] = {}
    for by_slice in sorted({way != "3D" for way in ways}):
        counts, differences = _matrices(levels, by_slice)
        for way in (w for w in ways if (w != "3D") == by_slice):
            if way == "2D":
                rows = [_features(n, s) for n, s in zip(counts, differences, strict=True) if n.any()]
                values = np.mean(rows, axis=0) if rows else np.full(len(_NAMES), np.nan)
            else:
                values = _features(counts.sum(0), differences.sum(0))
            pairs = zip(_NAMES, values, strict=True)
            found |= {f"ngt_{name}_{way}": float(value) for name, value in pairs}
    return found


def _matrices(levels: Levels, by_slice: bool) -> tuple[Floats, Floats]:
    """(slices, levels) each: voxels with neighbours, and the sums of how far each is from the mean
    of its neighbours."""
    array = levels.array
    inside = array > 0
    sums = np.zeros(array.shape)
    number = np.zeros(array.shape)
    for direction in half(by_slice):
        here, there = pair(array, direction)
        for target, one, other in (
            (0, here, there),
            (1, there, here),
        ):
            pair(sums, direction)[target][...] += np.where(one > 0, other, 0)
            pair(number, direction)[target][...] += (one > 0) & (other > 0)
    counted = inside & (number > 0)
    apart = np.abs(array[counted] - sums[counted] / number[counted])
    slices = array.shape[0] if by_slice else 1
    keys = array[counted] - 1
    if by_slice:
        keys = keys + slice_numbers(array.shape)[counted] * levels.count
    size = slices * levels.count
    shape = (slices, levels.count)
    counts = np.bincount(keys, minlength=size).astype(float).reshape(shape)
    return counts, np.bincount(keys, apart, size).reshape(shape)


def _features(counts: Floats, differences: Floats) -> Floats:
    """The five features of one matrix; both (levels,)."""
    total = counts.sum()
    if not total:
        return np.full(len(_NAMES), np.nan)
    present = counts > 0
    level = np.flatnonzero(present) + 1.0
    p, s = counts[present] / total, differences[present]
    weighted = float(p @ s)
    coarseness = min(1 / weighted, _MOST) if weighted > 0 else _MOST
    kinds = len(level)
    if kinds == 1:
        return np.array([coarseness, 0.0, 0.0, 0.0, 0.0])
    apart = level[:, None] - level
    both = p[:, None] + p
    contrast = float(p @ (apart**2) @ p) / (kinds * (kinds - 1)) * s.sum() / total
    scale = np.abs((level * p)[:, None] - level * p).sum()
    busyness = weighted / scale if scale > 0 else 0.0
    complexity = float((np.abs(apart) * ((p * s)[:, None] + p * s) / both).sum() / total)
    strength = float((both * apart**2).sum() / s.sum()) if s.sum() > 0 else 0.0
    return np.array([coarseness, contrast, busyness, complexity, strength])
