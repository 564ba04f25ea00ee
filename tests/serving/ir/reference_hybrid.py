"""Qwen3.5 in numpy: gated delta nets, with full attention now and then, token by token.

Sources: Yang et al. 2024, "Gated Delta Networks: Improving Mamba2 with Delta Rule"; the model card
of Qwen3-Next; Transformers' documentation of ``qwen3_5``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from reference_layers import (
    Array,
    attention,
    causal,
    inverse_frequencies,
    linear,
    rms_norm,
    rotate_halves,
    silu,
    split_heads,
)
from reference_mixture import mixture, mlp


def hybrid_logits(config: dict[str, Any], weights: dict[str, Array], ids: list[int]) -> Array:
    """Logits [length, vocab] of one sequence."""
    root = "model.language_model" if "text_config" in config else "model"
    text = config.get("text_config", config)
    eps = text["rms_norm_eps"]
    x = weights[f"{root}.embed_tokens.weight"][ids]
    for index, kind in enumerate(text["layer_types"]):
        layer = f"{root}.layers.{index}"
        normed = rms_norm(x, 1 + weights[f"{layer}.input_layernorm.weight"], eps)
        if kind == "full_attention":
            x = x + _attention(text, weights, f"{layer}.self_attn", normed)
        else:
            x = x + _delta_net(text, weights, f"{layer}.linear_attn", normed)
        normed = rms_norm(x, 1 + weights[f"{layer}.post_attention_layernorm.weight"], eps)
        if f"{layer}.mlp.gate.weight" in weights:
            x = x + mixture(text, weights, f"{layer}.mlp", normed)
        else:
            x = x + mlp(weights, f"{layer}.mlp", normed)
    x = rms_norm(x, 1 + weights[f"{root}.norm.weight"], eps)
    tied = config["tie_word_embeddings"]
    return linear(x, weights[f"{root}.embed_tokens.weight" if tied else "lm_head.weight"])


def _attention(config: dict[str, Any], weights: dict[str, Array], name: str, x: Array) -> Array:
    """Each head's rows of its query, then of its gate."""
    heads, size = config["num_attention_heads"], config["head_dim"]
    both = linear(x, weights[f"{name}.q_proj.weight"]).reshape(len(x), heads, 2 * size)
    query, gate = both[..., :size].swapaxes(0, 1), both[..., size:].reshape(len(x), -1)
    kv_heads = config["num_key_value_heads"]
    key = split_heads(linear(x, weights[f"{name}.k_proj.weight"]), kv_heads)
    value = split_heads(linear(x, weights[f"{name}.v_proj.weight"]), kv_heads)
    query = rms_norm(query, 1 + weights[f"{name}.q_norm.weight"], config["rms_norm_eps"])
    key = rms_norm(key, 1 + weights[f"{name}.k_norm.weight"], config["rms_norm_eps"])
    rope = config["rope_parameters"]
    turning = int(size * rope["partial_rotary_factor"])
    angles = np.outer(np.arange(len(x)), inverse_frequencies(turning, rope["rope_theta"]))
    query, key = rotate_halves(query, angles), rotate_halves(key, angles)
    mixed = attention(query, key, value, causal(len(x)))
    return linear(mixed * _sigmoid(gate), weights[f"{name}.o_proj.weight"])


def _delta_net(config: dict[str, Any], weights: dict[str, Array], name: str, x: Array) -> Array:
    key_heads, heads = config["linear_num_key_heads"], config["linear_num_value_heads"]
    size, length = config["linear_key_head_dim"], len(x)
    mixed = _convolved(
        linear(x, weights[f"{name}.in_proj_qkv.weight"]), weights[f"{name}.conv1d.weight"][:, 0]
    )
    query, key, value = np.split(mixed, [key_heads * size, 2 * key_heads * size], axis=-1)
    query, key = (
        np.repeat(_unit(part.reshape(length, key_heads, size)), heads // key_heads, axis=1)
        for part in (query, key)
    )
    value = value.reshape(length, heads, size)
    strength = _sigmoid(linear(x, weights[f"{name}.in_proj_b.weight"]))
    step = linear(x, weights[f"{name}.in_proj_a.weight"]) + weights[f"{name}.dt_bias"]
    left = np.exp(-np.exp(weights[f"{name}.A_log"]) * np.logaddexp(0, step))
    state, told = np.zeros((heads, size, size)), np.zeros_like(value)
    for place in range(length):
        state = state * left[place][:, None, None]
        known = np.einsum("hkv,hk->hv", state, key[place])
        change = (value[place] - known) * strength[place][:, None]
        state = state + key[place][:, :, None] * change[:, None]
        told[place] = np.einsum("hkv,hk->hv", state, query[place]) / np.sqrt(size)
    gate = linear(x, weights[f"{name}.in_proj_z.weight"]).reshape(value.shape)
    normed = rms_norm(told, weights[f"{name}.norm.weight"], config["rms_norm_eps"]) * silu(gate)
    return linear(normed.reshape(length, -1), weights[f"{name}.out_proj.weight"])


def _convolved(rows: Array, filters: Array) -> Array:
    """Each channel over the tokens up to this one, and SiLU."""
    kernel = filters.shape[1]
    padded = np.concatenate([np.zeros((kernel - 1, rows.shape[1])), rows])
    seen = [padded[place : place + len(rows)] * filters[:, place] for place in range(kernel)]
    return silu(np.sum(seen, axis=0))


def _unit(heads: Array) -> Array:
    return heads / np.sqrt(np.square(heads).sum(axis=-1, keepdims=True) + 1e-6)


def _sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))
