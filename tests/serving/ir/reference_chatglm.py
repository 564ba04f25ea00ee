"""ChatGLM-6B in numpy.

Sources: Du et al. 2022, "GLM: General Language Model Pretraining with Autoregressive Blank
Infilling" (the mask and the two positions of section 2); Zeng et al. 2023, "GLM-130B" (DeepNorm,
rotary positions); the model card.

The text before ``bos`` is the prefix, seen by every token in both directions. Its tokens have
their index as first position and 0 as second. From ``bos`` on the first position is that of the
mask token, the second counts 1, 2, 3 and so on, and attention is causal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from reference_layers import (
    Array,
    Mask,
    attention,
    causal,
    gelu_tanh,
    inverse_frequencies,
    layer_norm,
    linear,
    rotate_halves,
    split_heads,
)

Config = dict[str, Any]
Weights = dict[str, Array]


def chatglm_logits(
    config: Config, weights: Weights, ids: list[int], learned: Array | None = None
) -> Array:
    """Logits [length, vocab] of one sequence that holds [gMASK] or [MASK], and ``bos``.

    ``learned`` (P-tuning v2): [layers, 2, virtual tokens, heads, size], keys and values that every
    token sees; they are not turned, and have no positions.

    Raises:
        ValueError: ``bos`` or both mask tokens are missing.
    """
    eps = config["layernorm_epsilon"]
    alpha = np.sqrt(2 * config["num_layers"])
    visible, angles = prefix_mask(config, ids), _angles(config, ids)
    if learned is not None:
        visible = np.pad(visible, ((0, 0), (learned.shape[2], 0)), constant_values=True)
    x = weights["transformer.word_embeddings.weight"][ids]

    def norm(name: str, value: Array) -> Array:
        return layer_norm(value, weights[f"{name}.weight"], weights[f"{name}.bias"], eps)

    def project(name: str, value: Array) -> Array:
        return linear(value, weights[f"{name}.weight"], weights[f"{name}.bias"])

    for index in range(config["num_layers"]):
        layer = f"transformer.layers.{index}"
        # The residual is the normed input, not the input itself.
        x = norm(f"{layer}.input_layernorm", x)
        fused = project(f"{layer}.attention.query_key_value", x)
        # Each head's query, key and value lie side by side.
        heads = split_heads(fused, config["num_attention_heads"])
        query, key, value = np.split(heads, 3, axis=-1)
        key = _rotate(key, angles)
        if learned is not None:
            key, value = _behind(learned[index, 0], key), _behind(learned[index, 1], value)
        mixed = attention(_rotate(query, angles), key, value, visible)
        x = alpha * x + project(f"{layer}.attention.dense", mixed)
        x = norm(f"{layer}.post_attention_layernorm", x)
        inner = gelu_tanh(project(f"{layer}.mlp.dense_h_to_4h", x))
        x = alpha * x + project(f"{layer}.mlp.dense_4h_to_h", inner)
    x = norm("transformer.final_layernorm", x)
    return linear(x, weights["lm_head.weight"])


def positions(config: Config, ids: list[int]) -> tuple[Array, Array]:
    """First and second position of each token, each [length]."""
    prefix = ids.index(config["bos_token_id"])
    gmask, mask = config["gmask_token_id"], config["mask_token_id"]
    gap = ids.index(gmask if gmask in ids else mask)
    first = np.arange(len(ids), dtype=np.float64)
    first[prefix:] = gap
    second = np.maximum(np.arange(len(ids), dtype=np.float64) - prefix + 1, 0)
    return first, second


def prefix_mask(config: Config, ids: list[int]) -> Mask:
    """True where the row's token may see the column's, [length, length]."""
    visible = causal(len(ids))
    visible[:, : ids.index(config["bos_token_id"])] = True
    return visible


def _angles(config: Config, ids: list[int]) -> tuple[Array, Array]:
    half = config["hidden_size"] // config["num_attention_heads"] // 2
    frequencies = inverse_frequencies(half, 10000.0)
    first, second = positions(config, ids)
    return np.outer(first, frequencies), np.outer(second, frequencies)


def _rotate(x: Array, angles: tuple[Array, Array]) -> Array:
    """The head's first half turns by the first position, its second half by the second."""
    halves = np.split(x, 2, axis=-1)
    turned = [rotate_halves(half, angle) for half, angle in zip(halves, angles, strict=True)]
    return np.concatenate(turned, axis=-1)


def _behind(learned: Array, own: Array) -> Array:
    """``own`` [heads, length, size] behind ``learned`` [virtual tokens, heads, size]."""
    return np.concatenate([learned.transpose(1, 0, 2), own], axis=1)
