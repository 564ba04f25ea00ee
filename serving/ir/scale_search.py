"""Scale and zero point of each group of weights that lose least, by squared error.

For codes ``c``, counted from the zero point, the scale of least error is ``Σwc / Σc²`` and the
error that a scale ``s`` leaves is ``Σw² - s(2Σwc - sΣc²)``: least squares through the origin.  So
a candidate is rounded to codes once, gives back a better scale than it was, and is judged by the
second term, with that scale as float16 keeps it.  Candidates are the scale that just reaches the
extreme of a group, some that cut it off (which costs the extreme and gains on all others: clipping
by mean squared error), then neighbours of the best so far, ever closer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_ONE = np.float32(1)
_SMALLEST = np.float32(np.finfo(np.float16).smallest_subnormal)
_LARGEST = np.float32(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Effort:
    """Which scales are tried.

    ``cuts``: the range of a group over the range that is kept; 1 cuts nothing.  ``centred``: the
    same around zero, tried besides where zero may move, because of a few far outliers the middle
    of the range says little.  ``near``: factors on the best so far, a round each; after the first
    the neighbours of a zero point that may move are tried.
    """

    cuts: tuple[float, ...]
    near: tuple[tuple[float, ...], ...]
    centred: tuple[float, ...] = ()


# Chosen by error against time on Gaussian, Student (3 degrees), Laplace and trained weights.
_GROUP = Effort((0.95, 1.08, 1.2), ((0.95, 1.05), (0.98, 1.02)))
_GROUP_MOVING = Effort((1.0, 1.15), ((0.95, 1.05), (0.98, 1.02)))
_ROW = Effort((1.0, 1.3, 1.65, 2.2, 2.8, 3.7), ((0.9, 1.1), (0.95, 1.05)))
_ROW_MOVING = Effort((1.0, 1.08, 1.17, 1.27), _ROW.near, _ROW.cuts)
_BYTE = Effort((1.0, 1.08, 1.2), ((0.97, 1.03),))


@dataclass(frozen=True)
class Fit:
    """What was found for weights [within, groups].

    ``scale`` (what float16 holds, not 0) and ``zero`` (whole numbers): float32 [groups].  Counted
    from the zero point, codes go from ``-zero`` to ``span - zero``.
    """

    scale: Floats
    zero: Floats
    span: int

    def codes(self, weights: Floats) -> Floats:
        """The codes, counted from the zero point, of the weights that this was found for."""
        return _round(weights, self.scale, self.zero, self.span, np.empty_like(weights))


def fit(weights: Floats, bits: int, symmetric: bool, wide: bool) -> Fit:
    """The best scales found for finite weights [within, groups], in either memory order.

    Symmetric: ``zero`` is the middle, 2^(bits-1), and a scale takes the sign that lets the extreme
    of its group have the one code more that lies below zero (as in llama.cpp's Q4_0).  Otherwise
    scales are positive.  ``wide`` says that groups are whole rows, where outliers may be far off.
    """
    span, half = 2**bits - 1, np.float32(2 ** (bits - 1))
    low, high = weights.min(axis=0), weights.max(axis=0)
    below = -low > high
    search = _Search(weights, span)
    if symmetric:
        effort = _BYTE if bits == 8 else _ROW if wide else _GROUP
        middle = np.full_like(low, half)
        for cut in effort.cuts:
            search.consider(np.where(below, low, high) / np.float32(-half * cut), middle)
    else:
        effort = _BYTE if bits == 8 else _ROW_MOVING if wide else _GROUP_MOVING
        low, high = np.minimum(low, 0), np.maximum(high, 0)
        for cut in effort.cuts:
            scale = np.maximum((high - low) / np.float32(span * cut), _SMALLEST)
            zero = np.rint(np.float32(span / 2) - (high + low) / (2 * scale))
            search.consider(scale, np.clip(zero, 0, span))
        for cut in effort.centred:
            scale = np.maximum(-low, high) / np.float32(half * cut)
            search.consider(scale, np.where(below, half, half - _ONE))
    for turn, factors in enumerate(effort.near):
        scale, zero = search.scale.copy(), search.zero.copy()
        for factor in factors:
            search.consider(scale * np.float32(factor), zero)
        if turn == 0 and not symmetric and bits == 4:
            search.move_zero()
    return Fit(search.scale, search.zero, span)


class _Search:
    """The best scale and zero point so far of every group of weights [within, groups]."""

    def __init__(self, weights: Floats, span: int) -> None:
        self.scale = np.ones(weights.shape[1], np.float32)
        self.zero = np.zeros(weights.shape[1], np.float32)
        self._gain = np.full(weights.shape[1], -np.inf)
        self._weights = weights
        self._span = span
        self._codes = np.empty_like(weights)

    def consider(self, scale: Floats, zero: Floats) -> None:
        """Take what these, float32 [groups], round to where it loses less than what was."""
        scale = np.copysign(np.maximum(np.abs(scale), _SMALLEST), scale)
        codes = _round(self._weights, scale, zero, self._span, self._codes)
        # einsum multiplies and adds in one pass.
        product = np.einsum("ij,ij->j", self._weights, codes).astype(np.float64)
        power = np.einsum("ij,ij->j", codes, codes).astype(np.float64)
        scale = _kept(np.divide(product, power, out=scale.astype(np.float64), where=power > 0))
        gain = scale * (2 * product - scale * power)
        better = gain > self._gain
        np.copyto(self._gain, gain, where=better)
        np.copyto(self.scale, scale, where=better)
        np.copyto(self.zero, zero, where=better)

    def move_zero(self) -> None:
        """Try the zero points beside the best."""
        scale, zero = self.scale.copy(), self.zero.copy()
        self.consider(scale, np.minimum(zero + _ONE, np.float32(self._span)))
        self.consider(scale, np.maximum(zero - _ONE, np.float32(0)))


def _kept(scale: NDArray[np.float64]) -> Floats:
    """Scales as float16 holds them, neither 0 nor infinite, with their sign."""
    size = np.clip(np.abs(scale), _SMALLEST, _LARGEST).astype(np.float16)
    return np.copysign(size, scale).astype(np.float32)


def _round(weights: Floats, scale: Floats, zero: Floats, span: int, out: Floats) -> Floats:
    """Weights [within, groups] over ``scale`` [groups], whole and within the codes there are."""
    np.multiply(weights, _ONE / scale, out=out)
    np.rint(out, out=out)
    np.maximum(out, -zero, out=out)
    np.minimum(out, np.float32(span) - zero, out=out)
    return out
