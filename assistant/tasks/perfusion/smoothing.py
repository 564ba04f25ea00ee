"""Noise averaged over neighbours whose curves are alike, so that edges of vessels and lesions stay.

After the time-intensity-profile bilateral filter (Mendrik et al., Phys Med Biol 2011; 56: 3857),
but in the space of the components that stand above the noise, where the distance that noise alone
makes between two alike voxels is known.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Mask

PASSES = ((3, 2.0, 4.0), (7, 4.0, 4.0))
"""Of each pass: radius and standard deviation in pixels within a slice, and the slack in multiples
of the distance that noise makes."""


def smoothed(
    scores: NDArray[np.float32],
    mask: Mask,
    noise: float,
    guide: int,
    spacing: tuple[float, float, float],
) -> tuple[NDArray[np.float32], float]:
    """Scores (voxels of ``mask``, components) averaged over near voxels that are alike.

    The weight of a neighbour falls with its distance, and with how much farther its first
    ``guide`` components are than noise explains.  Also the noise (standard deviation) that is left.
    """
    number = np.full(mask.shape, -1, np.int32)
    number[mask] = np.arange(len(scores), dtype=np.int32)
    places = np.argwhere(mask).astype(np.int32)
    variance = max(noise, 1e-9) ** 2
    found = np.ascontiguousarray(scores, np.float32)
    from assistant.tasks.perfusion.averaging import average

    for radius, sigma, slack in PASSES:
        offsets, nearness = _neighbours(spacing, radius, sigma)
        certain = int((found.var(axis=0) > 2 * variance).sum())
        guide = max(guide, certain)
        usual = np.float32(2 * guide * variance)
        found, share = average(
            found, number, places, offsets, nearness, usual, guide, np.float32(slack)
        )
        variance *= float(share)
    return found, float(np.sqrt(variance))


def _neighbours(
    spacing: tuple[float, float, float], radius: int, sigma: float
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Steps to the neighbours, and their weights by distance; slices are farther than pixels."""
    pixel = min(spacing[1:])
    between = spacing[0] / pixel
    offsets, weights = [], []
    for z in (-1, 0, 1):
        for y in range(-radius, radius + 1):
            for x in range(-radius, radius + 1):
                plane = y * y + x * x
                weight = np.exp(-(plane + (z * between) ** 2) / (2 * sigma**2))
                if plane <= radius**2 and weight > 0.05 and (z, y, x) != (0, 0, 0):
                    offsets.append((z, y, x))
                    weights.append(weight)
    return np.array(offsets, np.int32), np.array(weights, np.float32)
