"""GLM-4.7-Flash in numpy: latent attention as it is written in the paper, with experts.

Sources: DeepSeek-AI 2024, "DeepSeek-V2", section 2.1; Transformers' documentation of
``glm4_moe_lite``.
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
    rotate_neighbours,
)
from reference_mixture import mixture, mlp


def latent_logits(config: dict[str, Any], weights: dict[str, Array], ids: list[int]) -> Array:
    """Logits [length, vocab] of one sequence."""
    eps = config["rms_norm_eps"]
    x = weights["model.embed_tokens.weight"][ids]
    for index in range(config["num_hidden_layers"]):
        layer = f"model.layers.{index}"
        normed = rms_norm(x, weights[f"{layer}.input_layernorm.weight"], eps)
        x = x + _attention(config, weights, f"{layer}.self_attn", normed)
        normed = rms_norm(x, weights[f"{layer}.post_attention_layernorm.weight"], eps)
        mixed = f"{layer}.mlp.gate.weight" in weights
        if mixed:
            x = x + mixture(config, weights, f"{layer}.mlp", normed)
        else:
            x = x + mlp(weights, f"{layer}.mlp", normed)
    return linear(rms_norm(x, weights["model.norm.weight"], eps), weights["lm_head.weight"])


def _attention(config: dict[str, Any], weights: dict[str, Array], name: str, x: Array) -> Array:
    heads, length = config["num_attention_heads"], len(x)
    still, turning = config["qk_nope_head_dim"], config["qk_rope_head_dim"]
    rank, wide = config["kv_lora_rank"], config["v_head_dim"]
    theta = config["rope_parameters"]["rope_theta"]
    angles = np.outer(np.arange(length), inverse_frequencies(turning, theta))
    if f"{name}.q_proj.weight" in weights:
        query = linear(x, weights[f"{name}.q_proj.weight"])
    else:
        narrow = linear(x, weights[f"{name}.q_a_proj.weight"])
        narrow = rms_norm(narrow, weights[f"{name}.q_a_layernorm.weight"], 1e-6)
        query = linear(narrow, weights[f"{name}.q_b_proj.weight"])
    query = query.reshape(length, heads, still + turning).swapaxes(0, 1)
    down = linear(x, weights[f"{name}.kv_a_proj_with_mqa.weight"])
    known = rms_norm(down[:, :rank], weights[f"{name}.kv_a_layernorm.weight"], 1e-6)
    both = linear(known, weights[f"{name}.kv_b_proj.weight"])
    both = both.reshape(length, heads, still + wide).swapaxes(0, 1)
    one = np.repeat(rotate_neighbours(down[None, :, rank:], angles), heads, axis=0)
    key = np.concatenate([both[..., :still], one], axis=-1)
    turned = rotate_neighbours(query[..., still:], angles)
    query = np.concatenate([query[..., :still], turned], axis=-1)
    mixed = attention(query, key, both[..., still:], causal(length))
    return linear(mixed, weights[f"{name}.o_proj.weight"])
