"""Llama 1 to 3, Qwen2, Qwen3 and the mixtures laid out like them, in numpy.

Sources: Touvron et al. 2023, "LLaMA"; Grattafiori et al. 2024, "The Llama 3 Herd of Models", and
the rotary scaling that Llama 3.1's model card describes; the Qwen2 and Qwen3 technical reports.
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
    split_heads,
)
from reference_mixture import mixture, mlp


def llama_logits(config: dict[str, Any], weights: dict[str, Array], ids: list[int]) -> Array:
    """Logits [length, vocab] of one sequence."""
    eps = config["rms_norm_eps"]
    x = weights["model.embed_tokens.weight"][ids]
    angles = np.outer(np.arange(len(ids)), _frequencies(config))
    for index in range(config["num_hidden_layers"]):
        layer = f"model.layers.{index}"
        normed = rms_norm(x, weights[f"{layer}.input_layernorm.weight"], eps)
        x = x + _self_attention(config, weights, f"{layer}.self_attn", normed, angles)
        normed = rms_norm(x, weights[f"{layer}.post_attention_layernorm.weight"], eps)
        mixed = f"{layer}.mlp.gate.weight" in weights
        x = x + (
            mixture(config, weights, f"{layer}.mlp", normed)
            if mixed
            else mlp(weights, f"{layer}.mlp", normed)
        )
    x = rms_norm(x, weights["model.norm.weight"], eps)
    tied = config["tie_word_embeddings"]
    return linear(x, weights["model.embed_tokens.weight" if tied else "lm_head.weight"])


def _self_attention(
    config: dict[str, Any], weights: dict[str, Array], name: str, x: Array, angles: Array
) -> Array:
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    query, key, value = (
        split_heads(
            linear(x, weights[f"{name}.{part}.weight"], weights.get(f"{name}.{part}.bias")), count
        )
        for part, count in (("q_proj", heads), ("k_proj", kv_heads), ("v_proj", kv_heads))
    )
    if f"{name}.q_norm.weight" in weights:
        query = rms_norm(query, weights[f"{name}.q_norm.weight"], config["rms_norm_eps"])
        key = rms_norm(key, weights[f"{name}.k_norm.weight"], config["rms_norm_eps"])
    query, key = rotate_halves(query, angles), rotate_halves(key, angles)
    mixed = attention(query, key, value, causal(len(x)))
    return linear(mixed, weights[f"{name}.o_proj.weight"], weights.get(f"{name}.o_proj.bias"))


def _frequencies(config: dict[str, Any]) -> Array:
    size = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    part = config.get("partial_rotary_factor", 1.0)
    plain = inverse_frequencies(int(size * part), config["rope_theta"])
    scaling = config.get("rope_scaling")
    if not scaling:
        return plain
    kind = scaling.get("rope_type") or scaling.get("type")
    if kind == "linear":
        return plain / scaling["factor"]
    if kind != "llama3":
        raise ValueError(f"the reference has no rotary scaling of type {kind!r}")
    # Wavelengths above the old context over low_freq_factor are stretched by the factor, those
    # below the old context over high_freq_factor stay, those between are blended.
    turns = scaling["original_max_position_embeddings"] * plain / (2 * np.pi)
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return plain * (kept + (1 - kept) / scaling["factor"])
