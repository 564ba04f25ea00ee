"""ChatGLM-6B's prompt: read in both directions, and counted on two axes.

Everything before the start-of-piece token is the prompt.  It sees all of itself; what follows sees
what came before.  Positions count up to the start-of-piece token and then stay at that of the mask
that is being filled in, while positions within the answer count from 1.  Where the prompt ended is
a variable of the model, so that later steps know it.

Source: Du et al., GLM (2022), section 2.1, and the published configuration of ChatGLM-6B.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from openvino import Node, PartialShape, Type
from openvino import opset16 as op
from openvino.op.util import Variable, VariableInfo

from serving.ir.inputs import Inputs, integer

_NEVER = np.iinfo(np.int32).max // 2


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the prompt's end means for every token of this step.

    ``positions``, ``blocks``: [batch, length], int32.  ``end``: the column at which the answer
    starts, [batch, 1, 1, 1], int32; 0 where no prompt has ended.
    """

    positions: Node
    blocks: Node
    end: Node
    assign: Node
    variable: Variable


def prefix(inputs: Inputs, start_token: int, mask_tokens: tuple[int, ...]) -> Prefix:
    """Find the prompt's end in this step's tokens, or remember it from an earlier one."""
    ids = op.convert(inputs.ids, "i32")
    positions = op.convert(inputs.positions, "i32")
    columns = op.add(op.multiply(positions, integer(0, "i32")), op.convert(inputs.columns, "i32"))
    start = op.equal(ids, integer(start_token, "i32"))
    masks = [op.equal(ids, integer(token, "i32")) for token in mask_tokens]
    seen = [(start, columns), (start, positions), *((mask, positions) for mask in masks)]
    found = op.concat([_first(where, value) for where, value in seen], axis=1)

    info = VariableInfo()
    info.data_shape = PartialShape([-1, len(seen)])
    info.data_type = Type.i32
    info.variable_id = "prefix"
    variable = Variable(info)
    shape = op.concat([inputs.batch, integer([len(seen)])], axis=0)
    past = op.read_value(op.broadcast(integer(_NEVER, "i32"), shape), variable)
    past.set_friendly_name("prefix")
    known = op.minimum(op.gather(past, inputs.beams, integer(0)), found)
    parts = op.split(known, integer(1), len(seen))

    end, first = parts.output(0), parts.output(1)
    place = parts.output(2)
    for index in range(3, len(seen)):
        later = op.greater_equal(place, integer(_NEVER, "i32"))
        place = op.select(later, parts.output(index), place)
    assign = op.assign(known, variable)
    assign.set_friendly_name("prefix/next")
    answering = op.greater_equal(positions, first)
    one = integer(1, "i32")
    return Prefix(
        positions=op.select(answering, place, positions),
        blocks=op.maximum(op.add(op.subtract(positions, first), one), integer(0, "i32")),
        end=op.unsqueeze(
            op.select(op.less(end, integer(_NEVER, "i32")), end, integer(0, "i32")),
            integer([2, 3]),
        ),
        assign=assign,
        variable=variable,
    )


def _first(where: Node, value: Node) -> Node:
    """The least ``value`` [batch, length] among those marked, [batch, 1]."""
    chosen = op.select(where, value, integer(_NEVER, "i32"))
    return op.reduce_min(chosen, integer(1), keep_dims=True)
