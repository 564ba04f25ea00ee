"""Intensities as HU in 16 bits, whatever padding and offset they were kept with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Volume, check_finite

HU = NDArray[np.int16]

AIR = -1000
_LOWEST, _HIGHEST = -1024, 3071
_OFFSETS = (0, 1024, 1000)
_SAMPLE = 200_000
_NOISE = 100.0
_UNLIKE = 0.7
_CUT_OFF = -150
"""Stored values with an offset have nothing below this, nor has a part of a CT without air."""


def hounsfield(volume: Volume) -> HU:
    """HU between −1024 and 3071; padding (−2000, −3024) becomes air.

    Values stored with 1024 or 1000 added, as NIfTI files often have them, are set right where both
    air and soft tissue then lie in their place.  Raises `ImageProblem` for what is no CT.
    """
    if volume.modality not in ("", "CT"):
        raise ImageProblem(
            f"这是 {volume.modality[:8]} 图像，经典分割只用于 CT，请提供 CT 序列。",
            "This is no CT; give a CT series.",
        )
    check_finite(volume)
    if _is_noise(volume.array):
        raise ImageProblem(
            "图像只有噪声，相邻体素毫无关联，请重新导出。",
            "The image is nothing but noise; export it again.",
        )
    offset = _offset(volume.array)
    moved: HU = np.clip(volume.array - np.float32(offset), _LOWEST, _HIGHEST).astype(np.int16)
    return moved


def _is_noise(array: NDArray[np.floating]) -> bool:
    """Whether neighbours differ as any two voxels do, and by more than a scanner's noise."""
    middle = np.asarray(array[array.shape[0] // 2], np.float64)
    spread = middle.var()
    if min(middle.shape) < 2 or spread < _NOISE**2:
        return False
    rows, columns = (float((np.diff(middle, axis=axis) ** 2).mean()) for axis in (0, 1))
    return min(rows, columns) > _UNLIKE * 2 * float(spread)


def _offset(array: NDArray[np.floating]) -> int:
    flat = array.reshape(-1)
    sample = np.asarray(flat[:: max(1, flat.size // _SAMPLE)], np.float64)
    if sample.min() < _CUT_OFF:
        return 0
    shares = {offset: _air_and_tissue(sample - offset) for offset in _OFFSETS[1:]}
    best = max(shares, key=lambda offset: shares[offset])
    return best if shares[best] > 0.02 else 0


def _air_and_tissue(hu: NDArray[np.float64]) -> float:
    """The lesser share of air and of soft tissue."""
    air = np.mean(np.abs(hu + 1000) < 60)
    tissue = np.mean((hu > -150) & (hu < 120))
    return float(min(air, tissue))
