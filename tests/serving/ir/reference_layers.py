"""The pieces that the reference models are made of, in float64 and one sequence at a time.

Shapes: a sequence of hidden states is ``[length, hidden]``; queries, keys and values are
``[heads, length, head_dim]``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def rms_norm(x: Array, weight: Array, eps: float) -> Array:
    """Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", equation 4."""
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * weight


def layer_norm(x: Array, weight: Array, bias: Array, eps: float) -> Array:
    """Ba, Kiros and Hinton 2016, "Layer Normalization"; the biased variance."""
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=-1, keepdims=True) + eps) * weight + bias


def silu(x: Array) -> Array:
    """x times its logistic sigmoid."""
    return x * 0.5 * (1 + np.tanh(x / 2))


def gelu_tanh(x: Array) -> Array:
    """Hendrycks and Gimpel 2016, "Gaussian Error Linear Units": the tanh approximation."""
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def linear(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """x [..., in] by a weight stored as [out, in]."""
    return x @ weight.T if bias is None else x @ weight.T + bias


def split_heads(x: Array, heads: int) -> Array:
    """[length, heads * head_dim] to [heads, length, head_dim]."""
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)


def inverse_frequencies(rotated: int, base: float) -> Array:
    """Su et al. 2021, "RoFormer", section 3.2.2: base^(-2i/d) for each pair of ``rotated``."""
    return base ** (-np.arange(0, rotated, 2) / rotated)


def rotate_halves(x: Array, angles: Array) -> Array:
    """Rotate by ``angles`` [length, d/2] the pairs (i, i + d/2) of the first d places; keep the
    rest."""
    half = angles.shape[1]
    first, second = x[..., :half], x[..., half : 2 * half]
    cos, sin = np.cos(angles), np.sin(angles)
    turned = [first * cos - second * sin, second * cos + first * sin]
    return np.concatenate([*turned, x[..., 2 * half :]], axis=-1)


def rotate_neighbours(x: Array, angles: Array) -> Array:
    """Rotate the pairs (2i, 2i + 1) of the first ``2 * angles.shape[1]`` places; keep the rest."""
    rotated = 2 * angles.shape[1]
    first, second = x[..., 0:rotated:2], x[..., 1:rotated:2]
    cos, sin = np.cos(angles), np.sin(angles)
    result = x.copy()
    result[..., 0:rotated:2] = first * cos - second * sin
    result[..., 1:rotated:2] = second * cos + first * sin
    return result


def causal(length: int) -> Mask:
    """True where the row's token may see the column's."""
    return np.tril(np.ones((length, length), dtype=bool))


def attention(query: Array, key: Array, value: Array, visible: Mask) -> Array:
    """Softmax attention; query head h reads key head h // (heads / key heads).

    Vaswani et al. 2017, equation 1; Ainslie et al. 2023, "GQA", section 2.2.

    Returns:
        [length, heads * head_dim].
    """
    share = len(query) // len(key)
    key, value = np.repeat(key, share, axis=0), np.repeat(value, share, axis=0)
    scores = query @ key.transpose(0, 2, 1) / np.sqrt(query.shape[-1])
    scores = np.where(visible, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
    mixed = weights / weights.sum(axis=-1, keepdims=True) @ value
    return mixed.transpose(1, 0, 2).reshape(query.shape[1], -1)
