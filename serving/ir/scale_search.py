"""Scale and zero point of each group of weights that lose least, by squared error, as a graph.

For codes ``c``, counted from the zero point, the scale of least error is ``Σwc / Σc²`` and the
error that a scale ``s`` leaves is ``Σw² - s(2Σwc - sΣc²)``: least squares through the origin.  So
a candidate is rounded to codes once, gives back a better scale than it was, and is judged by the
second term.  Candidates are the scale that just reaches the extreme of a group, some that cut it
off (which costs the extreme and gains on all others: clipping by mean squared error), then
neighbours of the best so far, ever closer.

OpenVINO runs the graph: it compiles the steps over the weights into a few passes, four times as
quick as numpy's, which makes one of every step.  Numbers of a group stay vectors [groups] until
they meet the weights: fused with them, they would be computed anew for every weight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from openvino import Model, Node, Type
from openvino import opset16 as op

SMALLEST = float(np.finfo(np.float16).smallest_subnormal)
LARGEST = float(np.finfo(np.float16).max)
_TIE = "half_to_even"


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


# Chosen by error against time on Gaussian, Student (3 degrees), Laplace and trained weights.  A cut
# of 1 is always among them, so that none loses more than rounding by the extreme.
_GROUP = Effort((0.95, 1.0, 1.08, 1.2), ((0.95, 1.05), (0.98, 1.02)))
_GROUP_MOVING = Effort((1.0, 1.13), ((0.96, 1.04),))
_ROW = Effort((1.0, 1.3, 1.65, 2.2, 2.8, 3.7), ((0.9, 1.1), (0.95, 1.05)))
_ROW_MOVING = Effort((1.0, 1.08, 1.17, 1.27), _ROW.near, _ROW.cuts)
_BYTE = Effort((1.0, 1.08, 1.2), ((0.97, 1.03),))


@dataclass(frozen=True)
class Block:
    """What a graph is made for: ``groups`` of ``within`` weights each, float16 where they are
    ``half``, float32 else; ``wide`` says that groups are whole rows, where outliers may be far off.

    Symmetric codes have their zero in the middle, 2^(bits-1), and a scale takes the sign that lets
    the extreme of its group have the one code more that lies below zero (as in llama.cpp's Q4_0).
    Other scales are positive.
    """

    groups: int
    within: int
    bits: int
    symmetric: bool
    wide: bool
    half: bool

    @property
    def span(self) -> int:
        """The highest code, counted from 0."""
        return (1 << self.bits) - 1

    @property
    def effort(self) -> Effort:
        """How hard to look."""
        if self.bits == 8:
            return _BYTE
        if self.symmetric:
            return _ROW if self.wide else _GROUP
        return _ROW_MOVING if self.wide else _GROUP_MOVING


def search(block: Block) -> Model:
    """Weights [groups, within] → the best scales, their zero points, the largest weight by size and
    ``Σwc`` of the first candidate, float32 [groups] each.

    The last is infinite or no number where a weight is; the scale and zero point then mean nothing.
    """
    source, weights = _input(block)
    found = _Search(block, weights)
    zero = _value(0)
    low, high = op.reduce_min(weights, _axis(1)), op.reduce_max(weights, _axis(1))
    if block.symmetric:
        found.reach_extreme(low, high)
    else:
        found.reach_both_ends(op.minimum(low, zero), op.maximum(high, zero))
    for turn, factors in enumerate(block.effort.near):
        scale, origin = found.scale, found.zero
        for factor in factors:
            found.consider(op.multiply(scale, _value(factor)), origin)
        if turn == 0 and not block.symmetric and block.bits == 4:
            found.move_zero()
    largest = op.maximum(op.negative(low), high)
    return Model([found.scale, found.zero, largest, found.first], [source], "search")


def rounding(block: Block) -> Model:
    """Weights [groups, within], scales and zero points, float32 [groups] → codes, int8 from the
    middle where they are symmetric, uint8 from 0 else."""
    source, weights = _input(block)
    scale = op.parameter([block.groups], Type.f32)
    zero = op.parameter([block.groups], Type.f32)
    codes = _codes(block, weights, scale, zero)
    if not block.symmetric:
        codes = op.add(codes, _column(block, zero))
    kind = Type.i8 if block.symmetric else Type.u8
    return Model([op.convert(codes, kind)], [source, scale, zero], "rounding")


class _Search:
    """The best scale and zero point so far of every group."""

    scale: Node
    zero: Node
    first: Node

    def __init__(self, block: Block, weights: Node) -> None:
        self._block = block
        self._weights = weights
        self._gain: Node | None = None

    def reach_extreme(self, low: Node, high: Node) -> None:
        """Try scales of symmetric codes."""
        half = 2 ** (self._block.bits - 1)
        extreme = op.select(op.greater(op.negative(low), high), low, high)
        middle = op.constant(np.full(self._block.groups, half, np.float32))
        for cut in self._block.effort.cuts:
            self.consider(op.multiply(extreme, _value(-1 / (half * cut))), middle)

    def reach_both_ends(self, low: Node, high: Node) -> None:
        """Try scales whose zero may move; zero lies between ``low`` and ``high``."""
        span, half = self._block.span, 2 ** (self._block.bits - 1)
        for cut in self._block.effort.cuts:
            scale = op.multiply(op.subtract(high, low), _value(1 / (span * cut)))
            scale = op.maximum(scale, _value(SMALLEST))
            middle = op.divide(op.multiply(op.add(high, low), _value(0.5)), scale)
            zero = op.round(op.subtract(_value(span / 2), middle), _TIE)
            self.consider(scale, op.clamp(zero, 0, span))
        reach, below = op.maximum(op.negative(low), high), op.greater(op.negative(low), high)
        for cut in self._block.effort.centred:
            scale = op.multiply(reach, _value(1 / (half * cut)))
            self.consider(scale, op.select(below, _value(half), _value(half - 1)))

    def consider(self, scale: Node, zero: Node) -> None:
        """Take what these [groups] round to where it loses less than what was."""
        scale = _within_float16(scale)
        codes = _codes(self._block, self._weights, scale, zero)
        product = op.reduce_sum(op.multiply(self._weights, codes), _axis(1))
        power = op.reduce_sum(op.multiply(codes, codes), _axis(1))
        # Codes are whole: where they are not all 0, the sum of their squares is 1 or more.
        better = op.divide(product, op.maximum(power, _value(1)))
        scale = _within_float16(op.select(op.greater(power, _value(0.5)), better, scale))
        twice = op.multiply(product, _value(2))
        gain = op.multiply(scale, op.subtract(twice, op.multiply(scale, power)))
        if self._gain is None:
            self._gain, self.scale, self.zero, self.first = gain, scale, zero, product
            return
        wins = op.greater(gain, self._gain)
        self._gain = op.select(wins, gain, self._gain)
        self.scale = op.select(wins, scale, self.scale)
        self.zero = op.select(wins, zero, self.zero)

    def move_zero(self) -> None:
        """Try the zero points beside the best."""
        scale, zero = self.scale, self.zero
        self.consider(scale, op.minimum(op.add(zero, _value(1)), _value(self._block.span)))
        self.consider(scale, op.maximum(op.subtract(zero, _value(1)), _value(0)))


def _input(block: Block) -> tuple[Node, Node]:
    source = op.parameter([block.groups, block.within], Type.f16 if block.half else Type.f32)
    return source, op.convert(source, "f32") if block.half else source


def _codes(block: Block, weights: Node, scale: Node, zero: Node) -> Node:
    """Weights over their scale, whole and within the codes there are, counted from the zero."""
    codes = op.multiply(weights, _column(block, op.divide(_value(1), scale)))
    codes = op.maximum(op.round(codes, _TIE), _column(block, op.negative(zero)))
    return op.minimum(codes, _column(block, op.subtract(_value(block.span), zero)))


def _within_float16(scale: Node) -> Node:
    """Neither 0 nor beyond what float16 holds, with its sign."""
    size = op.clamp(op.abs(scale), SMALLEST, LARGEST)
    return op.select(op.less(scale, _value(0)), op.negative(size), size)


def _column(block: Block, vector: Node) -> Node:
    return op.reshape(vector, np.array([block.groups, 1]), special_zero=False)


def _value(number: float) -> Any:
    return op.constant(np.array(number, np.float32))


def _axis(number: int) -> Any:
    return np.array([number], np.int64)
