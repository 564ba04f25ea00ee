"""Projections, norms and the rotation of heads, in the forms that the CPU plugin fuses."""

from __future__ import annotations

import numpy as np
from openvino import Node
from openvino import opset16 as op

from serving.ir.architecture import Linear, Norm
from serving.ir.base_shape import product_name
from serving.ir.inputs import integer, number
from serving.ir.weights import Weights


def linear(weights: Weights, rows: Node, of: Linear) -> Node:
    """A projection of ``rows`` [batch, length, columns]."""
    product = op.matmul(rows, weights.linear(of.weight), False, True)
    # An adapter that is chosen while the model serves finds its place by this name.
    product.set_friendly_name(product_name(of.weight))
    if of.bias is None:
        return product
    return op.add(product, op.constant(weights.vector(of.bias)[np.newaxis, np.newaxis]))


def norm(weights: Weights, rows: Node, of: Norm, epsilon: float) -> Node:
    """A norm over the last axis; ``epsilon`` is the model's."""
    epsilon = epsilon if of.epsilon is None else of.epsilon
    weight = op.constant(weights.vector(of.weight) + np.float32(of.offset))
    if of.bias is not None:
        centred = op.mvn(rows, integer([-1]), True, epsilon, "inside_sqrt")
        return op.add(op.multiply(centred, weight), op.constant(weights.vector(of.bias)))
    square = op.reduce_mean(op.power(rows, number(2.0)), integer([-1]), keep_dims=True)
    root = op.sqrt(op.add(square, number(epsilon)))
    return op.multiply(weight, op.multiply(rows, op.divide(number(1.0), root)))


def rotate(heads: Node, size: int, sine: Node, cosine: Node) -> Node:
    """Heads [batch, heads, length, ``size``] turned: first halves of pairs, then the second."""
    half = size // 2
    split = op.variadic_split(heads, integer(3), integer([half, half]))
    turned = op.concat([op.multiply(split.output(1), number(-1.0)), split.output(0)], axis=-1)
    return op.add(op.multiply(heads, cosine), op.multiply(turned, sine))
