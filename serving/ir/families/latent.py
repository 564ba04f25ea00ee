"""GLM-4.7-Flash (``glm4_moe_lite``): latent attention, and experts as in GLM-4.5."""

from __future__ import annotations

import numpy as np

from serving.ir.architecture import Architecture, Config, LatentAttention, Layer, Linear, Norm
from serving.ir.families.layout import Layout, check_plain
from serving.ir.families.mixtures import check_corrected, corrected
from serving.ir.matrix import Matrix, Order, Segment, stack, whole
from serving.ir.rotary import Rotary, rotary

# Norms inside the attention are made without the configuration's epsilon.
_EPSILON = 1e-6
_DENSE = "dense"


def describe(config: Config, family: str) -> Architecture:
    """As Transformers lays it out."""
    check_plain(config)
    check_corrected(config)
    still, turning = (int(config[f"qk_{part}_head_dim"]) for part in ("nope", "rope"))
    size = int(config["v_head_dim"])
    if size != still + turning:
        raise ValueError(f"keys of {still + turning} and values of {size} are not supported")
    turn = _turn(config, turning)
    heads = int(config["num_attention_heads"])
    layout = Layout({**config, "head_dim": size, "num_key_value_heads": heads}, turn)
    width = int(config["intermediate_size"])
    kinds = _kinds(config)

    def layer(index: int) -> Layer:
        at = f"{layout.root}.layers.{index}"
        return Layer(
            attention_norm=layout.norm(f"{at}.input_layernorm"),
            attention=_attention(config, layout, turn, f"{at}.self_attn"),
            mlp_norm=layout.norm(f"{at}.post_attention_layernorm"),
            mlp=(
                layout.mlp(f"{at}.mlp", width)
                if kinds[index] == _DENSE
                else corrected(config, layout, f"{at}.mlp")
            ),
        )

    return layout.architecture(family, width, layer)


def _turn(config: Config, turning: int) -> Rotary:
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type") or rope.get("type") or "default"
    if kind != "default":
        raise ValueError(f"rope_type {kind!r} is not supported (default is)")
    base = float(rope.get("rope_theta") or config.get("rope_theta") or 10_000.0)
    return rotary(turning, base, neighbours=bool(config.get("rope_interleave", True)))


def _kinds(config: Config) -> list[str]:
    layers = int(config["num_hidden_layers"])
    if kinds := list(config.get("mlp_layer_types") or ()):
        if len(kinds) != layers:
            raise ValueError(f"mlp_layer_types names {len(kinds)} of {layers} layers")
        return kinds
    first = int(config.get("first_k_dense_replace", 1))
    return [_DENSE if index < first else "sparse" for index in range(layers)]


def _attention(config: Config, layout: Layout, turn: Rotary, place: str) -> LatentAttention:
    still, turning = (int(config[f"qk_{part}_head_dim"]) for part in ("nope", "rope"))
    size, heads, hidden = still + turning, layout.heads, layout.hidden
    narrow, shared = int(config.get("q_lora_rank") or 0), int(config["kv_lora_rank"])
    bias = bool(config.get("attention_bias"))
    query = f"{place}.q_b_proj" if narrow else f"{place}.q_proj"
    each = np.concatenate([np.arange(still), still + turn.order])
    down = f"{place}.kv_a_proj_with_mqa"
    order = np.concatenate([np.arange(shared), shared + turn.order])
    both = f"{place}.kv_b_proj.weight", (heads * (still + size), shared)
    keys, values = _of_heads(heads, still + size, np.arange(still + size), still)
    return LatentAttention(
        still=still,
        turning=turning,
        query_down=layout.linear(f"{place}.q_a_proj", narrow, hidden, bias) if narrow else None,
        query_norm=_norm(f"{place}.q_a_layernorm", narrow) if narrow else None,
        query_up=Linear(
            Matrix(
                (
                    Segment(
                        f"{query}.weight",
                        (heads * size, narrow or hidden),
                        _of_heads(heads, size, each, size)[0],
                    ),
                )
            )
        ),
        shared_down=Linear(
            Matrix((Segment(f"{down}.weight", (shared + turning, hidden), order),)),
            Matrix((Segment(f"{down}.bias", (shared + turning,), order),)) if bias else None,
        ),
        shared_norm=_norm(f"{place}.kv_a_layernorm", shared),
        shared_up=Linear(stack(Matrix((Segment(*both, keys),)), Matrix((Segment(*both, values),)))),
        output=layout.linear(f"{place}.o_proj", hidden, heads * size, bias),
    )


def _norm(name: str, size: int) -> Norm:
    return Norm(whole(f"{name}.weight", size), epsilon=_EPSILON)


def _of_heads(heads: int, rows: int, order: Order, first: int) -> tuple[Order, Order]:
    """Of every head with ``rows`` rows, the first ones of ``order``, and the others."""
    begin = rows * np.arange(heads, dtype=np.int64)[:, np.newaxis]
    chosen, rest = begin + order[:first], begin + order[first:]
    return chosen.reshape(-1), rest.reshape(-1)
