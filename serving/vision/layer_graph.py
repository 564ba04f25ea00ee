"""One layer of a row of convolutions, compiled for the sizes that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.vision.chain import Stage
from serving.vision.compiled import Piece, Precision, Scratch, compile_model

SLICES = 16
"""Computed at once: enough that the slices around them are few beside them."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """In what a row of layers computes: the first ``floats`` in float32, the rest in bfloat16."""

    floats: int = 1_000

    def of(self, layer: int) -> Precision:
        """Of the layer with this number, and of the values that it is given."""
        return "f32" if layer < self.floats else "bf16"


FLOATS, HALVES = Numbers(), Numbers(0)


class Layer:
    """One layer (and what follows it voxel by voxel), compiled for the sizes that are asked for."""

    def __init__(
        self,
        stages: Sequence[Stage],
        precision: Precision,
        following: Precision,
        threads: int,
        last: bool,
        scratch: Scratch,
    ) -> None:
        """``following``: the precision of the next layer, which takes what this one makes."""
        self.reach = stages[0].reach
        self.channels = stages[-1].kernel.shape[0]
        self._stages = stages
        self._precision = precision
        self.following = following
        self._threads = threads
        self._last = last
        self._scratch = scratch
        self._pieces: dict[tuple[int, int], Piece] = {}

    def piece(self, size: tuple[int, int]) -> Piece:
        """What computes ``size`` rows and columns of `SLICES` slices."""
        found = self._pieces.get(size)
        if found is None:
            whole = SLICES, *size
            model = graph(self._stages, whole, self._precision, self.following, self._last)
            made = compile_model(model, self._precision, self._threads)
            found = self._pieces[size] = Piece(made, self._scratch)
        return found


def packed(values: NDArray[np.float32], precision: Precision) -> NDArray[Any]:
    """``values`` as they are kept: bfloat16 as the upper half of float32."""
    if precision == "f32":
        return values
    # To the nearest even, as the processor does.
    bits = values.view(np.uint32)
    odd = (bits >> 16) & np.uint32(1)
    return ((bits + np.uint32(0x7FFF) + odd) >> 16).astype(np.uint16)


def graph(
    stages: Sequence[Stage],
    size: tuple[int, int, int],
    precision: Precision,
    following: Precision,
    last: bool,
) -> Any:
    """The stages without padding, for ``size`` voxels of output; values with channels last.

    They are given in ``precision``, and made in that of the ``following`` layer.

    The last one gives the greatest class, so that scores never leave the graph.
    """
    import openvino
    from openvino import Type
    from openvino import opset13 as ops

    kind = Type.bf16 if precision == "bf16" else Type.f32
    given = [n + 2 * r for n, r in zip(size, stages[0].reach, strict=True)]
    source = ops.parameter([1, *given, stages[0].kernel.shape[1]], kind)
    value: Any = ops.convert(source, Type.f32) if kind == Type.bf16 else source
    value = ops.transpose(value, ops.constant(np.array([0, 4, 1, 2, 3])))
    none = [0, 0, 0]
    for stage in stages:
        value = ops.convolution(
            value, ops.constant(stage.kernel), [1, 1, 1], none, none, list(stage.dilation)
        )
        value = ops.add(value, ops.constant(stage.bias.reshape(1, -1, 1, 1, 1)))
        if stage.activation == "relu":
            value = ops.relu(value)
        elif stage.activation == "elu":
            value = ops.elu(value, stage.alpha)
    value = ops.transpose(value, ops.constant(np.array([0, 2, 3, 4, 1])))
    if last:
        best = ops.topk(value, ops.constant(np.int32(1)), 4, "max", "value")
        value = ops.convert(best.output(1), Type.u8)
    elif following == "bf16":
        value = ops.convert(value, Type.bf16)
    return openvino.Model([value], [source], "layer")
