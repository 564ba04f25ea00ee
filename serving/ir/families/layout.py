"""Decoders whose tensors are named as Transformers' Llama names them: most that are published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from serving.ir.architecture import Architecture, Attention, Config, Layer, Linear, Mlp, Norm
from serving.ir.matrix import Matrix, Order, Segment, stack, whole
from serving.ir.rotary import Rotary, rotary

_KV_HEADS = "num_key_value_heads"
_ORIGINAL = "original_max_position_embeddings"


class Layout:
    """The sizes of a configuration, and the tensors that follow from them."""

    def __init__(
        self, config: Config, turn: Rotary, *, root: str = "model", norm_offset: float = 0.0
    ) -> None:
        """``root`` is what the names of the decoder's tensors begin with; ``norm_offset`` is added
        to the weights of norms (see `Norm`)."""
        self._config = config
        self._turn = turn
        self._offset = norm_offset
        self.root = root
        self.hidden = int(config["hidden_size"])
        self.heads = int(config["num_attention_heads"])
        self.kv_heads = int(config.get(_KV_HEADS) or self.heads)
        self.head_size = _head_size(config)

    def norm(self, name: str) -> Norm:
        """A norm of the hidden state."""
        return Norm(whole(f"{name}.weight", self.hidden), offset=self._offset)

    def attention(
        self,
        place: str,
        *,
        qkv_bias: bool = False,
        output_bias: bool = False,
        head_norms: bool = False,
        gated: bool = False,
    ) -> Attention:
        """Attention whose tensors lie under ``place``.

        ``gated``: of every head, the rows of its gate follow those of its query.
        """
        wide = self.heads * self.head_size
        query, gate = self._query_rows(gated)
        stored = wide * (2 if gated else 1)

        def fused(kind: str, *columns: int) -> Matrix:
            name = f"{place}.q_proj.{kind}"
            parts = [
                Matrix((Segment(name, (stored, *columns), query),)),
                self._keys(f"{place}.k_proj.{kind}", *columns),
                whole(f"{place}.v_proj.{kind}", self.kv_heads * self.head_size, *columns),
            ]
            if gated:
                parts.append(Matrix((Segment(name, (stored, *columns), gate),)))
            return stack(*parts)

        return Attention(
            Linear(fused("weight", self.hidden), fused("bias") if qkv_bias else None),
            self.linear(f"{place}.o_proj", self.hidden, wide, output_bias),
            self._head_norm(f"{place}.q_norm.weight") if head_norms else None,
            self._head_norm(f"{place}.k_norm.weight") if head_norms else None,
            gated=gated,
        )

    def mlp(self, place: str, width: int, *, fused: bool = False) -> Mlp:
        """A gated MLP; ``fused``: gate and up are one tensor."""
        gate_up = (
            whole(f"{place}.gate_up_proj.weight", 2 * width, self.hidden)
            if fused
            else stack(
                whole(f"{place}.gate_proj.weight", width, self.hidden),
                whole(f"{place}.up_proj.weight", width, self.hidden),
            )
        )
        return Mlp(Linear(gate_up), self.linear(f"{place}.down_proj", self.hidden, width))

    def linear(self, name: str, rows: int, columns: int, bias: bool = False) -> Linear:
        """A projection."""
        weight = whole(f"{name}.weight", rows, columns)
        return Linear(weight, whole(f"{name}.bias", rows) if bias else None)

    def architecture(
        self, family: str, width: int, layer: Callable[[int], Layer], *, tied: bool | None = None
    ) -> Architecture:
        """The whole.  ``width`` is that of a dense MLP; ``tied``: the embedding is the head."""
        config, vocabulary = self._config, int(self._config["vocab_size"])
        if tied is None:
            tied = bool(config.get("tie_word_embeddings"))
        return Architecture(
            family=family,
            vocabulary=vocabulary,
            hidden_size=self.hidden,
            layer_count=int(config["num_hidden_layers"]),
            heads=self.heads,
            kv_heads=self.kv_heads,
            head_size=self.head_size,
            intermediate_size=width,
            context_length=_context_length(config),
            norm_epsilon=float(config.get("rms_norm_eps", 1e-6)),
            rotary=self._turn,
            embedding=whole(f"{self.root}.embed_tokens.weight", vocabulary, self.hidden),
            final_norm=self.norm(f"{self.root}.norm"),
            layer=layer,
            head=None if tied else whole("lm_head.weight", vocabulary, self.hidden),
        )

    def _query_rows(self, gated: bool) -> tuple[Order, Order]:
        """Rows of queries in the rotary order, and of gates, in a tensor that holds both."""
        size = self.head_size
        first = size * (2 if gated else 1) * np.arange(self.heads, dtype=np.int64)[:, np.newaxis]
        return (first + self._turn.order).reshape(-1), (first + size + np.arange(size)).reshape(-1)

    def _keys(self, name: str, *columns: int) -> Matrix:
        rows = self.kv_heads * self.head_size
        first = self.head_size * np.arange(self.kv_heads, dtype=np.int64)[:, np.newaxis]
        order = (first + self._turn.order).reshape(-1)
        return Matrix((Segment(name, (rows, *columns), order),))

    def _head_norm(self, name: str) -> Norm:
        weight = Matrix((Segment(name, (self.head_size,), self._turn.order),))
        return Norm(weight, offset=self._offset)


def turned_heads(config: Config, part: float = 1.0, *, neighbours: bool = False) -> Rotary:
    """The rotation of heads that a configuration describes.

    ``part`` of a head turns where nothing is said of it; ``neighbours`` are paired, or halves.
    """
    # Transformers 5 keeps all of it in `rope_parameters`, earlier releases in several fields.
    scaling = _scaling(config)
    rope = scaling if config.get("rope_parameters") else {}
    head = _head_size(config)
    own = {"rope_theta": 10_000.0, "partial_rotary_factor": part} | dict(config) | dict(rope)
    return rotary(
        head,
        float(own["rope_theta"]),
        int(head * float(own["partial_rotary_factor"])),
        neighbours=neighbours,
        scaling=scaling,
        context=int(config.get("max_position_embeddings", 0)),
    )


def _scaling(config: Config) -> Mapping[str, Any]:
    # As Transformers 5.5.4 has it (modeling_rope_utils, standardize_rope_params): parameters may
    # be apart for each kind of layer, and a length beside them goes before the one among them.
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    scaling = scaling.get("full_attention") or scaling
    original = config.get(_ORIGINAL) or scaling.get(_ORIGINAL)
    return {**scaling, _ORIGINAL: original} if original else scaling


def _context_length(config: Config) -> int:
    """The model's own, or what YaRN stretches it to.

    Configurations with YaRN give either in ``max_position_embeddings``; Qwen's give the one before.
    """
    declared = int(config.get("max_position_embeddings", 2048))
    scaling = _scaling(config)
    if (scaling.get("rope_type") or scaling.get("type")) != "yarn":
        return declared
    stretched = float(scaling.get(_ORIGINAL) or 0) * float(scaling.get("factor") or 0)
    return int(stretched) or declared


def _head_size(config: Config) -> int:
    return int(
        config.get("head_dim") or int(config["hidden_size"]) // int(config["num_attention_heads"])
    )


def check_plain(config: Config, *kinds: str) -> None:
    """Refuse what the configuration switches on and the graph does not do.

    ``kinds``: of layers, beside full attention, that the family has.
    """
    activation = config.get("hidden_act", "silu")
    if activation not in ("silu", "swish"):
        raise ValueError(f"hidden_act {activation!r} is not supported (silu is)")
    if config.get("use_sliding_window"):
        raise ValueError("use_sliding_window is not supported")
    others = {*(config.get("layer_types") or ())} - {"full_attention", *kinds}
    if others:
        raise ValueError(f"layer_types {', '.join(sorted(map(str, others)))} are not supported")
    if config.get("mlp_bias"):
        raise ValueError("mlp_bias is not supported")
