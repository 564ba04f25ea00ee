"""Products of the spectrum: Simoncelli's wavelet (PRT7) and the Riesz transform (AYRS)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from assistant.imaging.volume import Floats


def simoncelli(image: Floats, level: int, axes: int, orders: Sequence[int] = ()) -> Floats:
    """The B map of a level along the last ``axes`` axes; the image is taken as periodic.

    cos(π/2·log2(2|ν|/ν_j)) for ν_j/4 < |ν| ≤ ν_j, where ν_1 = 1 is the highest frequency along an
    axis and each level halves it (Portilla and Simoncelli 2000).  ``orders``: those of a Riesz
    transform of it along x, y and z.
    """
    highest = 1 / 2 ** (level - 1)

    def gain(parts: list[Floats]) -> Any:
        radius = _length(parts)
        inside = (radius > highest / 4) & (radius <= highest)
        found = np.zeros(radius.shape)
        found[inside] = np.cos(np.pi / 2 * np.log2(2 * radius[inside] / highest))
        return found * riesz_gain(parts, orders) if any(orders) else found

    return _filtered(image, axes, gain)


def riesz(image: Floats, axes: int, orders: Sequence[int]) -> Floats:
    """The Riesz transform along the last ``axes`` axes; the image is taken as periodic."""
    return _filtered(image, axes, lambda parts: riesz_gain(parts, orders))


def riesz_gain(parts: Sequence[Floats], orders: Sequence[int]) -> NDArray[np.complex128]:
    """(−i)^L·√(L!/(l1!·l2!·l3!))·ν1^l1·ν2^l2·ν3^l3/|ν|^L.

    ``parts``: frequencies along the axes of the array; ``orders``: l along x, y and z.
    """
    total = sum(orders)
    radius = _length(parts)
    found: NDArray[np.complex128] = np.full(radius.shape, (-1j) ** total)
    # The orders are those along x, y and z; the axes of the array are z, y and x.
    for order, part in zip(reversed(orders), parts, strict=True):
        found = found * part**order
    scale = np.sqrt(factorial(total) / np.prod([factorial(order) for order in orders]))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(radius > 0, scale * found / radius**total, 0)


def frequencies(count: int) -> Floats:
    """From −1 to 1 in ``count`` equal steps with the middle first, as in IBSI's reference maps.

    They are those of the Fourier transform times n/(n − 1), and half a step away where n is even.
    """
    if count == 1:
        return np.zeros(1)
    found: Floats = fft.ifftshift(np.linspace(-1, 1, count))
    return found


def _length(parts: Sequence[Floats]) -> Floats:
    found: Floats = np.sqrt(sum(part**2 for part in parts))
    return found


def _filtered(image: Floats, axes: int, gain: Callable[[list[Floats]], Any]) -> Floats:
    """The real part of the response; ``gain``: of the frequencies along each axis.

    The half spectrum of a real image is enough for it: a gain counts with its conjugate at the
    opposite frequency.
    """
    size = image.shape[-axes:]
    over = tuple(range(image.ndim - axes, image.ndim))
    here: list[Floats] = []
    opposite: list[Floats] = []
    for place, count in enumerate(size):
        index = np.arange(count // 2 + 1 if place == axes - 1 else count)
        shape = [-1 if axis == place else 1 for axis in range(axes)]
        line = frequencies(count)
        here.append(line[index].reshape(shape))
        opposite.append(line[-index % count].reshape(shape))
    spectrum = fft.rfftn(image, axes=over)
    spectrum *= (gain(here) + np.conj(gain(opposite))) / 2
    found: Floats = fft.irfftn(spectrum, s=size, axes=over)
    return found
