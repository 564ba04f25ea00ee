"""Filters that are products of the spectrum: Simoncelli's wavelet (PRT7), Riesz transform (AYRS)."""

from __future__ import annotations

from collections.abc import Sequence
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from assistant.imaging.volume import Floats


def simoncelli(image: Floats, level: int, axes: int, orders: Sequence[int] = ()) -> Floats:
    """The B map of a level along the last ``axes`` axes; the image is taken as periodic.

    cos(π/2·log2(2|ν|/ν_j)) for ν_j/4 < |ν| ≤ ν_j, where ν_1 is the Nyquist frequency and each
    level halves it (Portilla and Simoncelli 2000).  ``orders``: those of a Riesz transform of it
    along x, y and z.
    """
    size = image.shape[-axes:]
    radius, _ = _frequencies(size)
    highest = 1 / 2 ** (level - 1)
    inside = (radius > highest / 4) & (radius <= highest)
    gain = np.zeros(radius.shape)
    gain[inside] = np.cos(np.pi / 2 * np.log2(2 * radius[inside] / highest))
    return _filtered(image, gain * riesz_gain(size, orders), axes)


def riesz(image: Floats, axes: int, orders: Sequence[int]) -> Floats:
    """The Riesz transform along the last ``axes`` axes; the image is taken as periodic."""
    return _filtered(image, riesz_gain(image.shape[-axes:], orders), axes)


def riesz_gain(size: Sequence[int], orders: Sequence[int]) -> NDArray[np.generic]:
    """(−i)^L·√(L!/(l1!·l2!·l3!))·ν1^l1·ν2^l2·ν3^l3/|ν|^L of the half spectrum; 1 without orders."""
    total = sum(orders)
    if not total:
        return np.ones(1)
    radius, parts = _frequencies(size)
    found: NDArray[np.generic] = np.ones(radius.shape)
    # The orders are those along x, y and z; the axes of the array are z, y and x.
    for order, part in zip(reversed(orders), parts, strict=True):
        found = found * part**order
    scale = np.sqrt(factorial(total) / np.prod([factorial(order) for order in orders]))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(radius > 0, found / radius**total, 0)
    return found * scale * (-1j) ** total


def _frequencies(size: Sequence[int]) -> tuple[Floats, list[Floats]]:
    """Their length and their parts, along the half spectrum of real images; Nyquist's is 1."""
    last = len(size) - 1
    lines = [2 * (fft.rfftfreq(n) if axis == last else fft.fftfreq(n)) for axis, n in enumerate(size)]
    parts = list(np.meshgrid(*lines, indexing="ij", sparse=True))
    radius: Floats = np.sqrt(sum(part**2 for part in parts))
    return radius, parts


def _filtered(image: Floats, gain: NDArray[np.generic], axes: int) -> Floats:
    over = tuple(range(image.ndim - axes, image.ndim))
    spectrum = fft.rfftn(image, axes=over)
    spectrum *= gain
    found: Floats = fft.irfftn(spectrum, s=image.shape[-axes:], axes=over)
    return found
