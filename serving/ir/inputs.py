"""The model's inputs, and what follows from their shapes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from openvino import Dimension, Node, PartialShape, Type
from openvino import opset16 as op

_KINDS = {"i32": np.int32, "i64": np.int64}


@dataclass(frozen=True, slots=True)
class Inputs:
    """``ids``, ``positions`` [batch, length] and ``mask`` [batch, length so far], int64; ``beams``
    [batch], int32: which row of the last step each row goes on from.

    ``batch``: [1].  ``columns``: where this step's tokens stand among all so far, [length];
    ``every``: those of all, [length so far].
    """

    ids: Node
    mask: Node
    positions: Node
    beams: Node
    batch: Node
    columns: Node
    every: Node

    @property
    def parameters(self) -> list[Node]:
        """The inputs proper."""
        return [self.ids, self.mask, self.positions, self.beams]


def inputs() -> Inputs:
    """New inputs, named as OpenVINO GenAI expects them."""
    ids = _parameter("input_ids", Type.i64, 2)
    mask = _parameter("attention_mask", Type.i64, 2)
    positions = _parameter("position_ids", Type.i64, 2)
    beams = _parameter("beam_idx", Type.i32, 1)
    shape = op.shape_of(ids, "i64")
    length = op.gather(shape, integer(1), integer(0))
    so_far = op.gather(op.shape_of(mask, "i64"), integer(1), integer(0))
    return Inputs(
        ids,
        mask,
        positions,
        beams,
        batch=op.gather(shape, integer([0]), integer(0)),
        columns=op.range(op.subtract(so_far, length), so_far, integer(1), "i64"),
        every=op.range(integer(0), so_far, integer(1), "i64"),
    )


def integer(value: int | list[int], kind: str = "i64") -> Node:
    """A constant."""
    return op.constant(np.array(value, _KINDS[kind]))


def number(value: float) -> Node:
    """A float32 constant."""
    return op.constant(np.array(value, np.float32))


def _parameter(name: str, kind: Type, rank: int) -> Node:
    node = op.parameter(PartialShape([Dimension()] * rank), kind)
    # The paged-attention pass looks for these names; without them it fails at run time.
    node.set_friendly_name(name)
    node.output(0).set_names({name})
    return node
