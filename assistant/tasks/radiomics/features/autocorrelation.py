"""Moran's I and Geary's C: how alike near voxels are (IBSI: N365, NPT7).

Both weigh every pair of voxels by the inverse of its distance.  Summed pair by pair that is the
square of the number of voxels; as a convolution with the inverse distance it is exact, but for
rounding, in n log n.
"""

from __future__ import annotations

import numpy as np
from scipy import fft

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.region import Prepared
from assistant.tasks.radiomics.resampling import box


def autocorrelation(region: Prepared) -> dict[str, float]:
    """Both measures of the intensities of a region."""
    part = box(region.mask)
    mask = region.mask[part]
    number = np.count_nonzero(mask)
    values = np.where(mask, region.image[part], 0.0)
    values[mask] -= values[mask].mean()
    spread = float((values**2).sum())
    if spread == 0:
        return {"morph_moran_i": 1.0, "morph_geary_c": 1.0}
    near = _Weights(mask.shape, region.spacing)
    around = near.applied(mask.astype(float))
    weights = float(around[mask].sum())
    products = float((values * near.applied(values)).sum())
    # Σ w (a − b)² = 2 Σ w a² − 2 Σ w a b
    differences = 2 * float((values**2 * around).sum()) - 2 * products
    return {
        "morph_moran_i": number / weights * products / spread,
        "morph_geary_c": (number - 1) / (2 * weights) * differences / spread,
    }


class _Weights:
    """The inverse distance of voxels as a convolution; none of a voxel with itself."""

    def __init__(self, shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
        self._shape = shape
        self._padded = [fft.next_fast_len(2 * n - 1, real=True) for n in shape]
        squares = np.zeros(self._padded)
        for axis, (n, size) in enumerate(zip(self._padded, spacing, strict=True)):
            steps = np.minimum(np.arange(n), n - np.arange(n)) * size
            squares += (steps**2).reshape([-1 if a == axis else 1 for a in range(3)])
        squares[0, 0, 0] = np.inf
        self._kernel = fft.rfftn(1 / np.sqrt(squares)).real

    def applied(self, array: Floats) -> Floats:
        """Σ over all other voxels of their value by the inverse distance to each."""
        found = fft.irfftn(fft.rfftn(array, self._padded) * self._kernel, self._padded)
        part = found[: self._shape[0], : self._shape[1], : self._shape[2]]
        kept: Floats = np.asarray(part)
        return kept
