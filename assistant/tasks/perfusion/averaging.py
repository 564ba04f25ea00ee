"""The inner loop of the smoothing, compiled."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np


def _compiled(function: Any) -> Any:
    """Kept beside the source or in the user's cache; where neither can be written, made anew."""
    try:
        return numba.njit(cache=True, parallel=True, fastmath=True, nogil=True)(function)
    except RuntimeError:
        return numba.njit(parallel=True, fastmath=True, nogil=True)(function)


def _average(
    scores: Any,
    number: Any,
    places: Any,
    offsets: Any,
    nearness: Any,
    usual: Any,
    guide: int,
    slack: Any,
) -> Any:
    count, components = scores.shape
    made = np.empty_like(scores)
    shares = np.empty(count, np.float32)
    for voxel in numba.prange(count):
        total = scores[voxel].copy()
        weight = np.float32(1)
        square = np.float32(1)
        z, y, x = places[voxel]
        for step in range(len(offsets)):
            a, b, c = z + offsets[step, 0], y + offsets[step, 1], x + offsets[step, 2]
            if a < 0 or b < 0 or c < 0:
                continue
            if a >= number.shape[0] or b >= number.shape[1] or c >= number.shape[2]:
                continue
            other = number[a, b, c]
            if other < 0:
                continue
            apart = np.float32(0)
            for part in range(guide):
                difference = scores[voxel, part] - scores[other, part]
                apart += difference * difference
            excess = max(apart - usual, np.float32(0)) / (usual * slack)
            if excess > 6:
                continue
            near = nearness[step] * np.exp(-excess)
            weight += near
            square += near * near
            for part in range(components):
                total[part] += near * scores[other, part]
        for part in range(components):
            made[voxel, part] = total[part] / weight
        shares[voxel] = square / (weight * weight)
    return made, shares.mean()


average = _compiled(_average)
"""Scores (voxels, components) → their weighted means, and the share of the variance that is left.

``number``: of each place the row of its voxel, or −1; ``places``: of each row its place;
``offsets`` and ``nearness``: steps to neighbours and their weights; ``usual``: the squared distance
that noise makes in the first ``guide`` components.
"""
