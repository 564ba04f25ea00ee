"""Llama and its kin (BenTsao, Zhongjing, Qwen2, Qwen3), and GLM-4 in Hugging Face's own layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from serving.ir.architecture import Architecture, Config, Layer, Linear, Mixture, Mlp, Norm
from serving.ir.matrix import Matrix, Segment, stack, whole
from serving.ir.rotary import Rotary, rotary

_KV_HEADS = "num_key_value_heads"
_ORIGINAL = "original_max_position_embeddings"


def describe(config: Config, family: str) -> Architecture:
    """Llama, Qwen2 and Qwen3 as Transformers lays them out."""
    return laid_out(
        config,
        family=family,
        qkv_bias=family == "qwen2" or bool(config.get("attention_bias")),
        output_bias=family != "qwen2" and bool(config.get("attention_bias")),
        head_norms=family == "qwen3",
        turn=turned_heads(config, part=1.0, neighbours=bool(config.get("rope_neighbours"))),
    )


def describe_glm(config: Config, family: str) -> Architecture:
    """``glm`` and ``glm4``: gate and up in one tensor, half of a head turns, neighbours paired.

    ``glm4`` has a norm after attention and after the MLP as well.
    """
    return laid_out(
        config,
        family=family,
        qkv_bias=bool(config.get("attention_bias")),
        output_bias=False,
        fused_mlp=True,
        sandwich=family == "glm4",
        turn=turned_heads(config, part=0.5, neighbours=True),
    )


def turned_heads(config: Config, part: float, neighbours: bool) -> Rotary:
    """The rotation of heads that Transformers' configuration describes.

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


def laid_out(
    config: Config,
    *,
    family: str,
    turn: Rotary,
    qkv_bias: bool,
    output_bias: bool,
    head_norms: bool = False,
    fused_mlp: bool = False,
    sandwich: bool = False,
    mixture: Callable[[int, str], Mixture | None] = lambda index, place: None,
) -> Architecture:
    """A decoder whose tensors are named as Transformers' Llama names them.

    ``mixture(index, place)`` are the experts of a layer that has some, under ``place``.
    """
    hidden, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    heads, vocabulary = int(config["num_attention_heads"]), int(config["vocab_size"])
    kv_heads, head = int(config.get(_KV_HEADS) or heads), _head_size(config)
    _check_plain(config)

    def turned(name: str, count: int, *columns: int) -> Matrix:
        rows = count * head
        first = head * np.arange(count, dtype=np.int64)[:, np.newaxis]
        order = (first + turn.order).reshape(-1)
        return Matrix((Segment(name, (rows, *columns), order),))

    def linear(name: str, rows: int, columns: int, bias: bool) -> Linear:
        weight = whole(f"{name}.weight", rows, columns)
        return Linear(weight, whole(f"{name}.bias", rows) if bias else None)

    def head_norm(name: str) -> Norm | None:
        return Norm(Matrix((Segment(name, (head,), turn.order),))) if head_norms else None

    def dense(mlp: str) -> Mlp:
        gate_up = (
            whole(f"{mlp}.gate_up_proj.weight", 2 * inner, hidden)
            if fused_mlp
            else stack(
                whole(f"{mlp}.gate_proj.weight", inner, hidden),
                whole(f"{mlp}.up_proj.weight", inner, hidden),
            )
        )
        return Mlp(Linear(gate_up), linear(f"{mlp}.down_proj", hidden, inner, False))

    def layer(index: int) -> Layer:
        at = f"model.layers.{index}"
        attention, mlp = f"{at}.self_attn", f"{at}.mlp"

        def qkv(kind: str, *columns: int) -> Matrix:
            return stack(
                turned(f"{attention}.q_proj.{kind}", heads, *columns),
                turned(f"{attention}.k_proj.{kind}", kv_heads, *columns),
                whole(f"{attention}.v_proj.{kind}", kv_heads * head, *columns),
            )

        # `glm4` calls what stands before the MLP by the same name as the others do.
        norms = {
            "post_attention_norm": f"{at}.post_self_attn_layernorm.weight",
            "post_mlp_norm": f"{at}.post_mlp_layernorm.weight",
        }
        return Layer(
            attention_norm=Norm(whole(f"{at}.input_layernorm.weight", hidden)),
            qkv=Linear(qkv("weight", hidden), qkv("bias") if qkv_bias else None),
            attention_output=linear(f"{attention}.o_proj", hidden, heads * head, output_bias),
            mlp_norm=Norm(whole(f"{at}.post_attention_layernorm.weight", hidden)),
            mlp=mixture(index, mlp) or dense(mlp),
            query_norm=head_norm(f"{attention}.q_norm.weight"),
            key_norm=head_norm(f"{attention}.k_norm.weight"),
            **({key: Norm(whole(name, hidden)) for key, name in norms.items()} if sandwich else {}),
        )

    return Architecture(
        family=family,
        vocabulary=vocabulary,
        hidden_size=hidden,
        layer_count=int(config["num_hidden_layers"]),
        heads=heads,
        kv_heads=kv_heads,
        head_size=head,
        intermediate_size=inner,
        context_length=_context_length(config),
        norm_epsilon=float(config.get("rms_norm_eps", 1e-6)),
        rotary=turn,
        embedding=whole("model.embed_tokens.weight", vocabulary, hidden),
        final_norm=Norm(whole("model.norm.weight", hidden)),
        layer=layer,
        head=(
            None
            if config.get("tie_word_embeddings")
            else whole("lm_head.weight", vocabulary, hidden)
        ),
    )


def _check_plain(config: Config) -> None:
    """Refuse what the configuration switches on and the graph does not do."""
    activation = config.get("hidden_act", "silu")
    if activation not in ("silu", "swish"):
        raise ValueError(f"hidden_act {activation!r} is not supported (silu is)")
    if config.get("use_sliding_window"):
        raise ValueError("use_sliding_window is not supported")
    others = {kind for kind in config.get("layer_types") or () if kind != "full_attention"}
    if others:
        raise ValueError(f"layer_types {', '.join(sorted(map(str, others)))} are not supported")
    if config.get("mlp_bias"):
        raise ValueError("mlp_bias is not supported")
