"""Experts in the form that OpenVINO's CPU plugin knows.

It makes three GatherMatmul nodes a layer of them, which read the chosen experts alone and keep
codes at four bits.

The plugin looks for exactly these operations (`ConvertTiledMoeBlockToGatherMatmuls` in its 2026
sources): every token is laid out for every expert, and what was not chosen has the weight 0.  None
of that is computed.  Where one operation differs, the result is the same, and slow.
"""

from __future__ import annotations

from openvino import Node
from openvino import opset16 as op
from openvino.utils.node_factory import NodeFactory

from serving.ir.architecture import Mixture
from serving.ir.inputs import integer, number
from serving.ir.weights import Weights

# Scores that are all 0 would be shares of nothing (as Transformers has it for GLM-4.5).
_LEAST = 1e-20


def mixture(of: Mixture, weights: Weights, hidden: Node) -> Node:
    """What the chosen experts make of ``hidden`` [batch, length, hidden], in the same shape."""
    experts, width = of.experts, of.router.shape[1]
    flat = op.reshape(hidden, integer([-1, width]), special_zero=False)
    shares = _shares(of, weights, flat)
    tiled = op.tile(flat, integer([experts, 1]))
    rows = op.reshape(tiled, integer([experts, -1, width]), special_zero=False)
    gate = op.matmul(rows, weights.experts(of.gate, experts), False, True)
    up = op.matmul(rows, weights.experts(of.up, experts), False, True)
    inner = op.multiply(_swish(gate), up)
    down = op.matmul(inner, weights.experts(of.down, experts), False, True)
    apart = op.reshape(down, integer([experts, 1, -1, width]), special_zero=False)
    turned = op.transpose(shares, integer([1, 0]))
    weight = op.reshape(turned, integer([experts, 1, -1]), special_zero=False)
    weighed = op.multiply(apart, op.unsqueeze(weight, integer(-1)))
    total = op.reduce_sum(weighed, integer([0]), keep_dims=False)
    return op.reshape(total, op.shape_of(hidden), special_zero=False)


def _shares(of: Mixture, weights: Weights, flat: Node) -> Node:
    """The weight of every expert for every token [tokens, experts], 0 where it is not chosen."""
    places, share = _choice(of, op.matmul(flat, weights.plain(of.router), False, True), weights)
    if of.factor != 1.0:
        share = op.multiply(share, number(of.factor))
    tokens = op.gather(op.shape_of(flat), integer([0]), integer(0))
    shape = op.concat([tokens, integer([of.experts])], axis=0)
    return op.scatter_elements_update(op.broadcast(number(0.0), shape), places, share, integer(1))


def _choice(of: Mixture, scored: Node, weights: Weights) -> tuple[Node, Node]:
    """Which experts a token goes to, and what each counts [tokens, chosen]."""
    if of.scoring == "softmax" and of.normalised and of.correction is None:
        # Shares of a softmax over all, divided by their sum, are a softmax over the chosen.
        best = _best(of, scored)
        return best.output(1), op.softmax(best.output(0), 1)
    scores = op.softmax(scored, 1) if of.scoring == "softmax" else op.sigmoid(scored)
    judged = scores
    if of.correction is not None:
        judged = op.add(scores, op.constant(weights.vector(of.correction)))
    best = _best(of, judged)
    places = best.output(1)
    share = best.output(0) if judged is scores else op.gather_elements(scores, places, 1)
    if of.normalised:
        whole = op.reduce_sum(share, integer([-1]), keep_dims=True)
        share = op.divide(share, op.add(whole, number(_LEAST)))
    return places, share


def _best(of: Mixture, judged: Node) -> Node:
    return op.topk(judged, integer(of.chosen), -1, "max", "value", index_element_type="i64")


def _swish(rows: Node) -> Node:
    """With one input: `op.swish` gives it a second, which the plugin's pattern does not have."""
    return NodeFactory("opset4").create("Swish", [rows.output(0)], {})
