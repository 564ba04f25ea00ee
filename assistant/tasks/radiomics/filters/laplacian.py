"""The Laplacian of a Gaussian (IBSI-2, L6PA)."""

from __future__ import annotations

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.filters.separable import convolved


def half_width(sigma: float, truncate: float) -> int:
    """Voxels on each side of the centre; ``sigma`` in voxels."""
    return int(truncate * sigma + 0.5)


def laplacian(image: Floats, sigma: float, truncate: float, boundary: str, axes: int) -> Floats:
    """The response along the last ``axes`` axes; ``sigma`` in voxels.

    −1/σ²·(1/(√(2π)·σ))^D·(D − |k|²/σ²)·exp(−|k|²/2σ²) is a sum of D products of one kernel an axis:
    the second derivative along one, the Gaussian along the others.
    """
    reach = half_width(sigma, truncate)
    k = np.arange(-reach, reach + 1) / sigma
    smooth = np.exp(-(k**2) / 2) / (np.sqrt(2 * np.pi) * sigma)
    second = (k**2 - 1) / sigma**2 * smooth
    total: Floats = np.zeros(image.shape)
    for along in range(axes):
        kernels = [second if axis == along else smooth for axis in range(axes)]
        total += convolved(image, [*[None] * (image.ndim - axes), *kernels], boundary)
    return total
