"""Projections and norms, in the forms that the CPU plugin fuses."""

from __future__ import annotations

import numpy as np
from openvino import Node
from openvino import opset16 as op

from serving.ir.architecture import Linear, Norm
from serving.ir.inputs import integer, number
from serving.ir.weights import Weights


def linear(weights: Weights, rows: Node, of: Linear) -> Node:
    """A projection of ``rows`` [batch, length, columns]."""
    product = op.matmul(rows, weights.linear(of.weight), False, True)
    if of.bias is None:
        return product
    return op.add(product, op.constant(weights.vector(of.bias)[np.newaxis, np.newaxis]))


def norm(weights: Weights, rows: Node, of: Norm, epsilon: float) -> Node:
    """A norm over the last axis."""
    weight = op.constant(weights.vector(of.weight) + np.float32(of.offset))
    if of.bias is not None:
        centred = op.mvn(rows, integer([-1]), True, epsilon, "inside_sqrt")
        return op.add(op.multiply(centred, weight), op.constant(weights.vector(of.bias)))
    square = op.reduce_mean(op.power(rows, number(2.0)), integer([-1]), keep_dims=True)
    root = op.sqrt(op.add(square, number(epsilon)))
    return op.multiply(weight, op.multiply(rows, op.divide(number(1.0), root)))
