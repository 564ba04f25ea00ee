"""The intensity histogram: statistics of grey levels, and of how they are spread (IBSI, 3.4)."""

from __future__ import annotations

import numpy as np

from assistant.tasks.radiomics.features.statistics import statistics
from assistant.tasks.radiomics.region import Levels

_NOT_OF_LEVELS = ("ih_energy", "ih_rms")


def histogram(levels: Levels) -> dict[str, float]:
    """The features of the grey levels of a region.

    The mode is, of several, the one nearest to the mean (IBSI, AMMC).
    """
    values = levels.array[levels.array > 0]
    found = statistics(values, "ih")
    for name in _NOT_OF_LEVELS:
        found.pop(name)
    counts = np.bincount(values, minlength=levels.count + 1)[1:].astype(float)
    grey = np.arange(1, len(counts) + 1)
    share = counts[counts > 0] / len(values)
    modes = grey[counts == counts.max()]
    slope = np.gradient(counts) if len(counts) > 1 else np.zeros(1)
    return found | {
        "ih_mode": float(modes[np.argmin(np.abs(modes - found["ih_mean"]))]),
        "ih_entropy": float(-np.sum(share * np.log2(share))),
        "ih_uniformity": float(np.sum(share**2)),
        "ih_max_grad": float(slope.max()),
        "ih_max_grad_g": float(grey[slope.argmax()]),
        "ih_min_grad": float(slope.min()),
        "ih_min_grad_g": float(grey[slope.argmin()]),
    }
