"""The decoder as a graph of OpenVINO operations, one for every architecture.

Keys and values are variables of the model (ReadValue, Assign): each step gives the new ones only,
and the CPU plugin appends them in place.  Attention is one ScaledDotProductAttention a layer.
Query, key and value are one projection, and so are gate and up, because at one token a step the
time goes into reading weights, and a few large matrices are read faster than many small ones.  The
forms that operations are written in here (rotation, norms, grouped heads) are those that the plugin
fuses and that its paged-attention pass knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from openvino import Model, Node
from openvino import opset16 as op

from serving.ir.architecture import (
    Architecture,
    Attention,
    DeltaNet,
    LatentAttention,
    Layer,
    Linear,
    Mlp,
    Norm,
)
from serving.ir.blocks import linear, norm, rotate
from serving.ir.delta_net import delta_net
from serving.ir.inputs import Inputs, inputs, integer, number
from serving.ir.latent import latent_heads
from serving.ir.mixture import mixture
from serving.ir.prefix import prefix
from serving.ir.states import States
from serving.ir.weights import Weights


@dataclass(frozen=True, slots=True)
class Context:
    """What every layer shares: sine and cosine [batch, 1, length, head size], and the mask that is
    added to attention scores [batch, 1, length, length so far]."""

    sine: Node
    cosine: Node
    bias: Node
    states: States


def build(architecture: Architecture, weights: Weights) -> Model:
    """The whole model: ``input_ids``, ``attention_mask``, ``position_ids``, ``beam_idx`` →
    ``logits`` [batch, length, vocabulary], float32."""
    return _Decoder(architecture, weights).model()


class _Decoder:
    def __init__(self, architecture: Architecture, weights: Weights) -> None:
        self._is = architecture
        self._weights = weights
        self._hybrid = architecture.hybrid
        self._seen = {Attention: 0, LatentAttention: 0, DeltaNet: 0}

    def model(self) -> Model:
        given = inputs()
        table = self._weights.embedding(self._is.embedding)
        # An id may carry the number of an adapter, as so many vocabularies above it: that tells
        # the cache of prefixes one adapter's keys and values from another's.
        known = op.floor_mod(given.ids, integer(self._is.embedding.shape[0]))
        hidden = op.gather(table, op.convert(known, "i32"), integer(0))
        context = self._context(given)
        for index in range(self._is.layer_count):
            hidden = self._layer(self._is.layer(index), hidden, context)
        hidden = self._norm(hidden, self._is.final_norm)
        kept = context.states
        if self._weights.chooses_head:
            body = Model([op.result(hidden)], kept.assigns, given.parameters, kept.variables)
            self._weights.choose_head(body, self._is.head or self._is.embedding)
        logits = op.matmul(hidden, self._head(table), False, True)
        logits.output(0).set_names({"logits"})
        result = op.result(logits)
        result.set_friendly_name("logits")
        return Model([result], kept.assigns, given.parameters, kept.variables, self._is.family)

    def _head(self, table: Node) -> Node:
        """An embedding that is the head too is one constant, unless each is to have its form."""
        if self._is.head is not None:
            return self._weights.head(self._is.head)
        return self._weights.head(self._is.embedding) if self._weights.parts_head else table

    def _context(self, given: Inputs) -> Context:
        axes, prompt_end = [given.positions], None
        states = States(given.batch, given.beams)
        if self._is.prefix_token is not None:
            found = prefix(given, self._is.prefix_token, self._is.mask_tokens)
            axes, prompt_end = [found.positions, found.blocks], found.end
            states.assigns.append(found.assign)
            states.variables.append(found.variable)
        sine, cosine = self._rotation(axes)
        bias = _scores_bias(given, prompt_end)
        return Context(sine, cosine, bias, states)

    def _rotation(self, axes: list[Node]) -> tuple[Node, Node]:
        turn = self._is.rotary
        angles: Node | None = None
        for positions, frequencies in zip(axes, turn.frequencies, strict=True):
            place = op.unsqueeze(op.convert(positions, "f32"), integer(-1))
            part = op.multiply(place, op.constant(frequencies[np.newaxis, np.newaxis], np.float32))
            angles = part if angles is None else op.add(angles, part)
        both = op.concat([angles, angles], axis=-1)

        def over_heads(values: Node) -> Node:
            if turn.magnitude != 1.0:
                values = op.multiply(values, number(turn.magnitude))
            return op.unsqueeze(values, integer(1))

        return over_heads(op.sin(both)), over_heads(op.cos(both))

    def _layer(self, layer: Layer, hidden: Node, context: Context) -> Node:
        scale = self._is.residual_scale
        normed = self._norm(hidden, layer.attention_norm)
        attended = self._mixed(layer.attention, normed, context)
        if layer.post_attention_norm is not None:
            attended = self._norm(attended, layer.post_attention_norm)
        hidden = op.add(_residual(hidden, normed, scale), attended)
        normed = self._norm(hidden, layer.mlp_norm)
        fed = self._feed(layer, normed)
        if layer.post_mlp_norm is not None:
            fed = self._norm(fed, layer.post_mlp_norm)
        return op.add(_residual(hidden, normed, scale), fed)

    def _mixed(
        self, of: Attention | LatentAttention | DeltaNet, hidden: Node, context: Context
    ) -> Node:
        index = self._seen[type(of)]
        self._seen[type(of)] += 1
        if isinstance(of, Attention):
            return self._attention(index, of, hidden, context)
        if isinstance(of, LatentAttention):
            return self._latent(index, of, hidden, context)
        epsilon = self._is.norm_epsilon
        return delta_net(of, self._weights, hidden, index, context.states, epsilon)

    def _attention(self, index: int, of: Attention, hidden: Node, context: Context) -> Node:
        heads, kv_heads, size = self._is.heads, self._is.kv_heads, self._is.head_size
        fused = self._linear(hidden, of.qkv)
        widths = [heads * size, kv_heads * size, kv_heads * size]
        widths += [heads * size] if of.gated else []
        split = op.variadic_split(fused, integer(-1), integer(widths))
        query = self._heads(split.output(0), heads, of.query_norm)
        key = self._heads(split.output(1), kv_heads, of.key_norm)
        value = self._heads(split.output(2), kv_heads, None)
        query, key = (
            rotate(turning, size, context.sine, context.cosine) for turning in (query, key)
        )
        key = self._shared(self._remember("key", index, key, context.states))
        value = self._shared(self._remember("value", index, value, context.states))
        flat = self._attended(query, key, value, context)
        if of.gated:
            flat = op.multiply(flat, op.sigmoid(split.output(3)))
        return self._linear(flat, of.output)

    def _latent(self, index: int, of: LatentAttention, hidden: Node, context: Context) -> Node:
        """With keys and values of every head, as they would be without the narrow projections."""
        queries, keys, values = latent_heads(
            of, self._weights, hidden, self._is, context.sine, context.cosine
        )
        keys = self._remember("key", index, keys, context.states)
        values = self._remember("value", index, values, context.states)
        return self._linear(self._attended(queries, keys, values, context), of.output)

    def _attended(self, query: Node, key: Node, value: Node, context: Context) -> Node:
        """[batch, length, heads · size] of heads [batch, heads, length, size]."""
        scale = number(1 / math.sqrt(self._is.head_size))
        attended = op.scaled_dot_product_attention(
            query, key, value, context.bias, scale, causal=False
        )
        rows = op.transpose(attended, integer([0, 2, 1, 3]))
        width = self._is.heads * self._is.head_size
        return op.reshape(rows, integer([0, 0, width]), special_zero=True)

    def _heads(self, rows: Node, count: int, norm: Norm | None) -> Node:
        """[batch, length, count · size] → [batch, count, length, size]."""
        shape = integer([0, 0, count, self._is.head_size])
        apart = op.reshape(rows, shape, special_zero=True)
        if norm is not None:
            apart = self._norm(apart, norm)
        return op.transpose(apart, integer([0, 2, 1, 3]))

    def _remember(self, kind: str, index: int, new: Node, states: States) -> Node:
        """All keys or values so far [batch, heads, length so far, size], with ``new`` appended."""
        name = f"{kind}.{index}"
        if self._hybrid:
            # The paged form of states goes by these names.
            name = f"cache_params.past.{name}cache_params.present.{name}"
        past, variable = states.past(name, [self._is.kv_heads, -1, self._is.head_size])
        longer = op.concat([past, new], axis=2)
        states.keep(longer, variable, name)
        return longer

    def _shared(self, heads: Node) -> Node:
        """Each key or value head stands for its group of query heads; nothing is copied."""
        groups = self._is.heads // self._is.kv_heads
        if groups == 1:
            return heads
        # The plugin knows grouped heads by a constant target; one made at run time it does not.
        wide = op.broadcast(
            op.unsqueeze(heads, integer(2)),
            integer([1, 1, groups, 1, 1]),
            broadcast_spec="BIDIRECTIONAL",
        )
        shape = integer([0, self._is.heads, -1, self._is.head_size])
        return op.reshape(wide, shape, special_zero=True)

    def _feed(self, layer: Layer, hidden: Node) -> Node:
        if isinstance(layer.mlp, Mlp):
            return self._mlp(layer.mlp, hidden)
        fed = mixture(layer.mlp, self._weights, hidden)
        if layer.mlp.shared is None:
            return fed
        shared = self._mlp(layer.mlp.shared, hidden)
        if layer.mlp.shared_gate is not None:
            gate = op.matmul(hidden, self._weights.plain(layer.mlp.shared_gate), False, True)
            shared = op.multiply(shared, op.sigmoid(gate))
        return op.add(fed, shared)

    def _mlp(self, mlp: Mlp, hidden: Node) -> Node:
        rows = self._linear(hidden, mlp.gate_up)
        act: Callable[[Node], Node] = op.swish if self._is.activation == "silu" else _gelu
        if self._is.gated:
            width = mlp.gate_up.weight.shape[0] // 2
            split = op.variadic_split(rows, integer(-1), integer([width, width]))
            rows = op.multiply(act(split.output(0)), split.output(1))
        else:
            rows = act(rows)
        return self._linear(rows, mlp.down)

    def _linear(self, rows: Node, of: Linear) -> Node:
        return linear(self._weights, rows, of)

    def _norm(self, rows: Node, of: Norm) -> Node:
        return norm(self._weights, rows, of, self._is.norm_epsilon)


def _scores_bias(inputs: Inputs, prompt_end: Node | None) -> Node:
    """What is added to the scores: 0 where a token may look, a large negative number elsewhere.

    A finite number keeps rows that may look nowhere (padding on the left) free of NaN.
    """
    seen = op.less_equal(inputs.every, op.unsqueeze(inputs.columns, integer(-1)))
    seen = op.unsqueeze(seen, integer([0, 1]))
    if prompt_end is not None:
        prompt = op.less(op.convert(inputs.every, "i32"), prompt_end)
        seen = op.logical_or(seen, prompt)
    real = op.unsqueeze(op.not_equal(inputs.mask, integer(0)), integer([1, 2]))
    blocked = number(float(np.finfo(np.float16).min))
    return op.select(op.logical_and(real, seen), number(0.0), blocked)


def _residual(hidden: Node, normed: Node, scale: float | None) -> Node:
    return hidden if scale is None else op.multiply(normed, number(scale))


def _gelu(rows: Node) -> Node:
    return op.gelu(rows, "tanh")
