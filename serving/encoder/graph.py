"""The encoder as a graph of OpenVINO operations.

Batch and length are dynamic.  Query, key and value are one product; positions and the token type,
which is always the first here, are one table.  Attention is one ScaledDotProductAttention a layer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from openvino import Dimension, Model, Node, PartialShape, Type
from openvino import opset16 as op

from serving.encoder.checkpoint import PREFIX
from serving.encoder.head import scores
from serving.encoder.shape import HeadShape, RelationShape, Shape
from serving.ir.inputs import integer, number
from serving.ir.matrix import Floats

IDS, MASK, HIDDEN = "input_ids", "attention_mask", "last_hidden_state"
# What is added to the score of a token that is padding; finite, so that no row becomes NaN.
_BLOCKED = -10_000.0


def build(shape: Shape, tensors: Mapping[str, Floats], head: HeadShape | None = None) -> Model:
    """``input_ids``, ``attention_mask`` [batch, length], int64 → the head's scores (see
    `serving.encoder.head.scores`), or without one ``last_hidden_state`` [batch, length, hidden];
    float32."""
    ids, mask = _parameter(IDS), _parameter(MASK)
    length = op.gather(op.shape_of(ids, "i64"), integer(1), integer(0))
    rows = _Encoder(shape, tensors).rows(ids, mask, length)
    outputs = {HIDDEN: rows} if head is None else scores(rows, length, tensors, head)
    results = []
    for name, node in outputs.items():
        result = op.result(node)
        result.output(0).set_names({name})
        result.set_friendly_name(name)
        results.append(result)
    return Model(results, [ids, mask], architecture(head))


def architecture(head: HeadShape | None) -> str:
    """What a model with this head is called."""
    if head is None:
        return "bert"
    return "bert-relation" if isinstance(head, RelationShape) else "bert-span"


class _Encoder:
    def __init__(self, shape: Shape, tensors: Mapping[str, Floats]) -> None:
        self._is = shape
        self._tensors = tensors

    def rows(self, ids: Node, mask: Node, length: Node) -> Node:
        words = op.gather(
            op.constant(self._of("embeddings.word_embeddings.weight")),
            op.convert(ids, "i32"),
            integer(0),
        )
        table = self._of("embeddings.position_embeddings.weight")
        table = table + self._of("embeddings.token_type_embeddings.weight")[0]
        places = op.range(integer(0), length, integer(1), "i64")
        rows = op.add(words, op.gather(op.constant(table), places, integer(0)))
        rows = self._norm(rows, "embeddings")
        open_to = op.unsqueeze(op.convert(mask, "f32"), integer([1, 2]))
        bias = op.multiply(op.subtract(number(1.0), open_to), number(_BLOCKED))
        for index in range(self._is.num_hidden_layers):
            rows = self._layer(f"encoder.layer.{index}", rows, bias)
        return rows

    def _layer(self, name: str, rows: Node, bias: Node) -> Node:
        seen = self._linear(self._attention(f"{name}.attention.self", rows, bias),
                            f"{name}.attention.output.dense")  # fmt: skip
        rows = self._norm(op.add(rows, seen), f"{name}.attention.output")
        inner = self._act(self._linear(rows, f"{name}.intermediate.dense"))
        fed = self._linear(inner, f"{name}.output.dense")
        return self._norm(op.add(rows, fed), f"{name}.output")

    def _attention(self, name: str, rows: Node, bias: Node) -> Node:
        heads, size = self._is.num_attention_heads, self._is.head_size
        parts = ("query", "key", "value")
        weight = np.concatenate([self._of(f"{name}.{part}.weight") for part in parts])
        offset = np.concatenate([self._of(f"{name}.{part}.bias") for part in parts])
        fused = op.add(op.matmul(rows, op.constant(weight), False, True), op.constant(offset))
        split = op.variadic_split(fused, integer(-1), integer([heads * size] * 3))

        def apart(part: Node) -> Node:
            shaped = op.reshape(part, integer([0, 0, heads, size]), special_zero=True)
            return op.transpose(shaped, integer([0, 2, 1, 3]))

        seen = op.scaled_dot_product_attention(
            *(apart(split.output(index)) for index in range(3)),
            bias,
            number(1 / math.sqrt(size)),
            causal=False,
        )
        together = op.transpose(seen, integer([0, 2, 1, 3]))
        return op.reshape(together, integer([0, 0, heads * size]), special_zero=True)

    def _act(self, rows: Node) -> Node:
        if self._is.hidden_act == "relu":
            return op.relu(rows)
        return op.gelu(rows, "tanh" if self._is.hidden_act == "gelu_new" else "erf")

    def _linear(self, rows: Node, name: str) -> Node:
        product = op.matmul(rows, op.constant(self._of(f"{name}.weight")), False, True)
        return op.add(product, op.constant(self._of(f"{name}.bias")))

    def _norm(self, rows: Node, name: str) -> Node:
        """LayerNorm (Ba et al. 2016) over the last axis."""
        centred = op.mvn(rows, integer([-1]), True, self._is.layer_norm_eps, "inside_sqrt")
        scaled = op.multiply(centred, op.constant(self._of(f"{name}.LayerNorm.weight")))
        return op.add(scaled, op.constant(self._of(f"{name}.LayerNorm.bias")))

    def _of(self, name: str) -> Floats:
        return self._tensors[PREFIX + name]


def _parameter(name: str) -> Node:
    node = op.parameter(PartialShape([Dimension(), Dimension()]), Type.i64)
    node.set_friendly_name(name)
    node.output(0).set_names({name})
    return node
