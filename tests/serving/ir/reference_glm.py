"""ChatGLM2-6B, ChatGLM3-6B and GLM-4 in numpy, in the layouts of their authors and of Hugging Face.

Sources: GLM team 2024, "ChatGLM: A Family of Large Language Models from GLM-130B to GLM-4 All
Tools"; the model cards; Transformers' documentation of ``glm`` and ``glm4``. Half of each head is
rotated, in pairs of neighbours.
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
    silu,
    split_heads,
)

Config = dict[str, Any]
Weights = dict[str, Array]


def published_glm_logits(config: Config, weights: Weights, ids: list[int]) -> Array:
    """Logits [length, vocab] of one sequence, from the authors' layout (``model_type`` chatglm)."""
    eps = config["layernorm_epsilon"]
    x = weights["transformer.embedding.word_embeddings.weight"][ids]
    angles = _published_angles(config, len(ids))
    for index in range(config["num_layers"]):
        layer = f"transformer.encoder.layers.{index}"
        normed = rms_norm(x, weights[f"{layer}.input_layernorm.weight"], eps)
        fused = f"{layer}.self_attention.query_key_value"
        projected = linear(normed, weights[f"{fused}.weight"], weights.get(f"{fused}.bias"))
        query, key, value = _split_fused(config, projected)
        query, key = rotate_neighbours(query, angles), rotate_neighbours(key, angles)
        mixed = attention(query, key, value, causal(len(ids)))
        x = x + linear(mixed, weights[f"{layer}.self_attention.dense.weight"])
        normed = rms_norm(x, weights[f"{layer}.post_attention_layernorm.weight"], eps)
        inner = linear(normed, weights[f"{layer}.mlp.dense_h_to_4h.weight"])
        x = x + linear(_swiglu(inner), weights[f"{layer}.mlp.dense_4h_to_h.weight"])
    x = rms_norm(x, weights["transformer.encoder.final_layernorm.weight"], eps)
    return linear(x, weights["transformer.output_layer.weight"])


def _published_angles(config: Config, length: int) -> Array:
    """Angles [length, kv_channels / 4].

    The long-context forms differ in what their ``rope_ratio`` means: ChatGLM2 divides the
    positions by it, ChatGLM3 and GLM-4 multiply the base by it.
    """
    ratio = config.get("rope_ratio", 1)
    rotated = config["kv_channels"] // 2
    positions = np.arange(length, dtype=np.float64)
    if "chatglm2" in config["_name_or_path"].lower():
        return np.outer(positions / ratio, inverse_frequencies(rotated, 10000.0))
    return np.outer(positions, inverse_frequencies(rotated, 10000.0 * ratio))


def _split_fused(config: Config, projected: Array) -> tuple[Array, Array, Array]:
    """All queries, then all keys, then all values."""
    heads, groups = config["num_attention_heads"], config["multi_query_group_num"]
    size = config["kv_channels"]
    query, key, value = np.split(projected, [heads * size, (heads + groups) * size], axis=-1)
    return split_heads(query, heads), split_heads(key, groups), split_heads(value, groups)


def _swiglu(inner: Array) -> Array:
    """Shazeer 2020, "GLU Variants Improve Transformer"; the gate is the first half."""
    gate, up = np.split(inner, 2, axis=-1)
    return silu(gate) * up


def glm_logits(config: Config, weights: Weights, ids: list[int]) -> Array:
    """Logits [length, vocab] of one sequence, from Hugging Face's layout (``glm``, ``glm4``)."""
    eps = config["rms_norm_eps"]
    sandwich = config["model_type"] == "glm4"
    x = weights["model.embed_tokens.weight"][ids]
    rotated = int(config["head_dim"] * config["partial_rotary_factor"])
    frequencies = inverse_frequencies(rotated, config["rope_theta"])
    angles = np.outer(np.arange(len(ids)), frequencies)
    for index in range(config["num_hidden_layers"]):
        layer = f"model.layers.{index}"
        normed = rms_norm(x, weights[f"{layer}.input_layernorm.weight"], eps)
        block = _self_attention(config, weights, f"{layer}.self_attn", normed, angles)
        if sandwich:
            block = rms_norm(block, weights[f"{layer}.post_self_attn_layernorm.weight"], eps)
        x = x + block
        normed = rms_norm(x, weights[f"{layer}.post_attention_layernorm.weight"], eps)
        inner = linear(normed, weights[f"{layer}.mlp.gate_up_proj.weight"])
        block = linear(_swiglu(inner), weights[f"{layer}.mlp.down_proj.weight"])
        if sandwich:
            block = rms_norm(block, weights[f"{layer}.post_mlp_layernorm.weight"], eps)
        x = x + block
    x = rms_norm(x, weights["model.norm.weight"], eps)
    return linear(x, weights["lm_head.weight"])


def _self_attention(config: Config, weights: Weights, name: str, x: Array, angles: Array) -> Array:
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]

    def project(part: str, count: int) -> Array:
        bias = weights.get(f"{name}.{part}.bias")
        return split_heads(linear(x, weights[f"{name}.{part}.weight"], bias), count)

    query = rotate_neighbours(project("q_proj", heads), angles)
    key = rotate_neighbours(project("k_proj", kv_heads), angles)
    mixed = attention(query, key, project("v_proj", kv_heads), causal(len(x)))
    return linear(mixed, weights[f"{name}.o_proj.weight"])
