"""Gabor's filter in a plane (IBSI-2, Q88H)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.filters.choice import Gabor

PAD = {"zero": "constant", "nearest": "edge", "periodic": "wrap", "mirror": "symmetric"}
"""The boundary conditions of IBSI-2 as `numpy.pad` calls them."""

_REACH = 5.0
"""Sigmas after which the kernel ends: exp(−12.5) is four in a million."""


def half_width(one: Gabor, spacing: float) -> int:
    """Voxels on each side of the centre."""
    return int(np.ceil(_REACH * one.sigma / spacing * max(1.0, 1 / one.gamma)))


def angles(one: Gabor) -> list[float]:
    """The orientations in radians.

    A half turn gives the conjugate kernel, thus the same modulus; it is left out where it can be.
    """
    if one.step is None:
        return [float(np.deg2rad(one.theta))]
    count = round(360 / one.step)
    count = count // 2 if count % 2 == 0 else count
    return [float(np.deg2rad(one.theta + one.step * turn)) for turn in range(count)]


def kernel(one: Gabor, spacing: float, theta: float) -> NDArray[np.complex128]:
    """(rows, columns) of the plane: the second of its axes is k1, the first k2."""
    reach = half_width(one, spacing)
    k2, k1 = np.mgrid[-reach : reach + 1, -reach : reach + 1] * spacing
    along = k1 * np.cos(theta) + k2 * np.sin(theta)
    across = k1 * np.sin(theta) - k2 * np.cos(theta)
    size = np.exp(-(along**2 + one.gamma**2 * across**2) / (2 * one.sigma**2))
    found: NDArray[np.complex128] = size * np.exp(2j * np.pi * along / one.wavelength)
    return found


def gabor(image: Floats, one: Gabor, spacing: float, flat: bool) -> Floats:
    """The mean modulus over orientations, and over the three planes unless ``flat``.

    ``spacing``: mm, the same along the axes of the planes.
    """
    planes: Sequence[tuple[int, int]] = [(1, 2)] if flat else [(1, 2), (0, 2), (0, 1)]
    total: Floats = np.zeros(image.shape)
    for plane in planes:
        total += _in_plane(image, one, spacing, plane)
    return total / len(planes)


def _in_plane(image: Floats, one: Gabor, spacing: float, plane: tuple[int, int]) -> Floats:
    stacked = np.moveaxis(image, plane, (1, 2))
    reach = half_width(one, spacing)
    shape = [fft.next_fast_len(n + 4 * reach) for n in stacked.shape[1:]]
    turns = angles(one)
    kernels = [fft.fft2(kernel(one, spacing, theta), shape) for theta in turns]
    found = np.empty(stacked.shape)
    start = 2 * reach
    rows, columns = (slice(start, start + n) for n in stacked.shape[1:])
    for target, part in zip(found, stacked, strict=True):
        spectrum = fft.fft2(np.pad(part, reach, PAD[one.boundary]), shape)  # type: ignore[call-overload]
        target[:] = sum(np.abs(fft.ifft2(spectrum * k)[rows, columns]) for k in kernels)
    moved: Floats = np.moveaxis(found / len(turns), (1, 2), plane)
    return moved
