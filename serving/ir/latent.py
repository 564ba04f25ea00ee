"""Queries, keys and values of latent attention, written out for every head.

The turning part of a key is one for all heads, and is repeated; what is kept of a token is then as
wide as in ordinary attention of as many heads, and any precision of keys and values will do.
"""

from __future__ import annotations

from openvino import Node
from openvino import opset16 as op

from serving.ir.architecture import Architecture, LatentAttention
from serving.ir.blocks import linear, norm, rotate
from serving.ir.inputs import integer
from serving.ir.weights import Weights

_ORDER = [0, 2, 1, 3]


def latent_heads(
    of: LatentAttention,
    weights: Weights,
    hidden: Node,
    model: Architecture,
    sine: Node,
    cosine: Node,
) -> tuple[Node, Node, Node]:
    """Queries, keys and values [batch, heads, length, still + turning] of ``hidden``
    [batch, length, hidden]."""
    epsilon, heads = model.norm_epsilon, model.heads
    size = of.still + of.turning

    narrow = hidden
    if of.query_down is not None:
        narrow = linear(weights, hidden, of.query_down)
    if of.query_norm is not None:
        narrow = norm(weights, narrow, of.query_norm, epsilon)
    query = _apart(linear(weights, narrow, of.query_up), heads, size)
    parts = op.variadic_split(query, integer(-1), integer([of.still, of.turning]))
    turned = rotate(parts.output(1), of.turning, sine, cosine)
    queries = op.concat([parts.output(0), turned], axis=-1)

    shared = linear(weights, hidden, of.shared_down)
    width = of.shared_down.weight.shape[0] - of.turning
    split = op.variadic_split(shared, integer(-1), integer([width, of.turning]))
    known = norm(weights, split.output(0), of.shared_norm, epsilon)
    wide = linear(weights, known, of.shared_up)
    both = op.variadic_split(wide, integer(-1), integer([heads * of.still, heads * size]))
    still, values = _apart(both.output(0), heads, of.still), _apart(both.output(1), heads, size)
    one = rotate(_apart(split.output(1), 1, of.turning), of.turning, sine, cosine)
    every = op.tile(one, integer([1, heads, 1, 1]))
    return queries, op.concat([still, every], axis=-1), values


def _apart(rows: Node, heads: int, size: int) -> Node:
    """[batch, length, heads · size] → [batch, heads, length, size]."""
    apart = op.reshape(rows, integer([0, 0, heads, size]), special_zero=True)
    return op.transpose(apart, integer(_ORDER))
