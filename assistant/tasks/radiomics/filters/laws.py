"""Laws kernels and their energy (IBSI-2, JTXT)."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.filters.choice import Laws
from assistant.tasks.radiomics.filters.separable import box_mean, pooled

_WHOLE = MappingProxyType(
    {
        "L3": (1, 2, 1),
        "L5": (1, 4, 6, 4, 1),
        "E3": (-1, 0, 1),
        "E5": (-1, -2, 0, 2, 1),
        "S3": (-1, 2, -1),
        "S5": (-1, 0, 2, 0, -1),
        "W5": (-1, 2, 0, -2, 1),
        "R5": (1, -4, 6, -4, 1),
    }
)


def kernel(name: str) -> Floats:
    """The kernel of the norm 1."""
    whole = np.array(_WHOLE[name], np.float64)
    found: Floats = whole / np.linalg.norm(whole)
    return found


def laws(image: Floats, one: Laws) -> Floats:
    """The response, or its energy: the mean absolute response around each voxel.

    Turns are pooled before the energy is taken.
    """
    # The kernels are named along x, y and z; the axes of the array are z, y and x.
    kernels = [kernel(name) for name in reversed(one.axes)]
    found = pooled(image, [kernels], one.boundary, one.rotation_invariance, one.pooling)
    if one.energy:
        found = box_mean(np.abs(found), 2 * one.energy + 1, one.boundary, len(kernels))
    return found
