"""A gated delta net in the form that OpenVINO's CPU plugin knows.

Its passes look for exactly these operations (`FuseGDNLoop`, `FuseL2NormIntoGDN`, and the paged
forms, in its 2026 sources): the Loop becomes one GatedDeltaNet node, and in the paged form its
states live beside the blocks of keys and values.  Some choices look odd and are needed: `Tile` to
repeat heads, `Divide` to scale the query, `Squeeze` of an older set, a convolution's state that is
as wide as its kernel, and the names of variables.
"""

from __future__ import annotations

import numpy as np
from openvino import Model, Node, PartialShape, Type, opset14
from openvino import opset16 as op

from serving.ir.architecture import DeltaNet
from serving.ir.blocks import linear, norm
from serving.ir.inputs import integer, number
from serving.ir.states import States
from serving.ir.weights import Weights

_END = int(np.iinfo(np.int64).max)
# Keeps the length of a head of zeros from being 0 (as the model's own code has it).
_LEAST = 1e-6


def delta_net(
    of: DeltaNet, weights: Weights, hidden: Node, index: int, states: States, epsilon: float
) -> Node:
    """What a layer makes of ``hidden`` [batch, length, hidden], in the same shape.

    ``index`` counts the layers of this kind.
    """
    keys, values = of.key_heads * of.head_size, of.value_heads * of.head_size
    rows = linear(weights, hidden, of.projections)
    split = op.variadic_split(rows, integer(-1), integer([2 * keys + values, values]))
    mixed = _convolved(of, weights, split.output(0), index, states)
    gate = _heads(split.output(1), of.value_heads, of.head_size)
    strength, decay = _gates(of, weights, hidden)
    parts = op.variadic_split(mixed, integer(-1), integer([keys, keys, values]))
    query, key = (
        _unit(_repeated(_heads(part, of.key_heads, of.head_size), of))
        for part in (parts.output(0), parts.output(1))
    )
    value = _heads(parts.output(2), of.value_heads, of.head_size)
    name = f"cache_params.past.ssm.{index}cache_params.present.ssm.{index}"
    shape = [of.value_heads, of.head_size, of.head_size]
    past, variable = states.past(name, shape)
    out, state = _loop(_scaled(_turned(query)), _turned(key), _turned(value), decay, strength, past)
    # An Assign takes no second output of a node.
    states.keep(op.reshape(state, integer([0, *shape]), special_zero=True), variable, name)
    normed = norm(weights, _turned(out), of.norm, epsilon)
    flat = op.reshape(
        op.multiply(normed, op.swish(gate)), integer([0, 0, values]), special_zero=True
    )
    return linear(weights, flat, of.output)


def _convolved(of: DeltaNet, weights: Weights, rows: Node, index: int, states: States) -> Node:
    """Each channel of ``rows`` [batch, length, channels] over the last tokens, and Swish."""
    channels, kernel = of.convolution.shape
    name = f"cache_params.past.conv.{index}cache_params.present.conv.{index}"
    past, variable = states.past(name, [channels, kernel])
    turned = op.transpose(rows, integer([0, 2, 1]))
    joined = op.concat([past, turned], axis=-1)
    filters = weights.vector(of.convolution).reshape(channels, 1, 1, kernel)
    swept = op.group_convolution(joined, op.constant(filters), [1], [0], [0], [1])
    length = op.gather(op.shape_of(turned, "i64"), integer([2]), integer(0))
    begin, end, step, axis = integer([-kernel]), integer([_END]), integer([1]), integer([2])
    new = op.slice(swept, op.multiply(length, integer([-1])), end, step, axis)
    states.keep(op.slice(joined, begin, end, step, axis), variable, name)
    return op.transpose(op.swish(new), integer([0, 2, 1]))


def _gates(of: DeltaNet, weights: Weights, hidden: Node) -> tuple[Node, Node]:
    """How strongly a token is written, and the logarithm of what is left of the state
    [batch, heads, length] each."""
    rows = op.matmul(hidden, weights.plain(of.gates), False, True)
    split = op.variadic_split(rows, integer(-1), integer([of.value_heads, of.value_heads]))
    strength = op.sigmoid(split.output(0))
    rate = op.constant(-np.exp(weights.vector(of.decay)))
    stepped = op.softplus(op.add(split.output(1), op.constant(weights.vector(of.step))))
    order = integer([0, 2, 1])
    return op.transpose(strength, order), op.transpose(op.multiply(rate, stepped), order)


def _heads(rows: Node, count: int, size: int) -> Node:
    return op.reshape(rows, integer([0, 0, count, size]), special_zero=True)


def _turned(heads: Node) -> Node:
    """[batch, length, heads, size] to [batch, heads, length, size], and back."""
    return op.transpose(heads, integer([0, 2, 1, 3]))


def _repeated(heads: Node, of: DeltaNet) -> Node:
    """Each key head for its group of value heads."""
    groups = of.value_heads // of.key_heads
    if groups == 1:
        return heads
    wide = op.tile(op.unsqueeze(heads, integer(3)), integer([1, 1, 1, groups, 1]))
    return _heads(wide, of.value_heads, of.head_size)


def _unit(heads: Node) -> Node:
    square = op.reduce_sum(op.multiply(heads, heads), integer([-1]), keep_dims=True)
    return op.multiply(heads, op.divide(number(1.0), op.sqrt(op.add(square, number(_LEAST)))))


def _scaled(query: Node) -> Node:
    size = op.convert(op.gather(op.shape_of(query, "i64"), integer(3), integer(0)), "f32")
    return op.divide(query, op.power(size, number(0.5)))


def _loop(
    query: Node, key: Node, value: Node, decay: Node, strength: Node, past: Node
) -> tuple[Node, Node]:
    """What is read at each token [batch, heads, length, size], and the state after the last
    [batch, heads, key size, value size]."""

    def parameter(shape: list[int], kind: Type = Type.f32) -> Node:
        return op.parameter(PartialShape(shape), kind)

    one = [-1, -1, 1, -1]
    step = parameter([], Type.i32)
    heads = [parameter(one) for _ in range(3)]
    gates = [parameter([-1, -1, 1]) for _ in range(2)]
    state, out = parameter([-1, -1, -1, -1]), parameter([-1, -1, -1, -1])
    here_query, here_key, here_value = (opset14.squeeze(part, _place(2)) for part in heads)
    left = op.multiply(state, op.unsqueeze(op.exp(gates[0]), _place(-1)))
    column = op.unsqueeze(here_key, _place(-1))
    known = op.reduce_sum(op.multiply(left, column), _place(-2), False)
    change = op.multiply(op.subtract(here_value, known), gates[1])
    new = op.add(left, op.multiply(column, op.unsqueeze(change, _place(-2))))
    asked = op.multiply(new, op.unsqueeze(here_query, _place(-1)))
    answer = op.reduce_sum(asked, _place(-2), True)
    written = op.scatter_update(out, op.unsqueeze(step, _place(0)), answer, _place(2))
    on = op.constant(np.array([True]))
    body = Model([on, new, written], [step, *heads, *gates, state, out], "delta_net")

    shape = op.shape_of(value, "i64")
    length = op.convert(op.gather(shape, _place(2), _place(0)), "i32")
    loop = op.loop(length, op.constant(np.array(True)))
    loop.set_function(body)
    outside = (query, key, value, decay, strength)
    for inner, outer in zip([*heads, *gates], outside, strict=True):
        loop.set_sliced_input(inner, outer.output(0), 0, 1, 1, -1, 2)
    loop.set_merged_input(state, past.output(0), new.output(0))
    empty = op.broadcast(number(0.0), shape)
    loop.set_merged_input(out, empty.output(0), written.output(0))
    loop.set_special_body_ports([0, 0])
    every = loop.get_iter_value(written.output(0), -1)
    return every, loop.get_iter_value(new.output(0), -1)


def _place(value: int) -> Node:
    return integer(value, "i32")
