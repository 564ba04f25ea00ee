"""Rotary position embedding, brought to one form for every architecture.

Architectures pair the elements of a head differently (neighbours, or halves) and turn all of it or
a part.  The product of query and key does not change when the elements of both are reordered alike,
so rows of the projections are reordered once, at conversion, until every head reads
``[first of each pair | second of each pair]`` over its whole width; elements that do not turn are
pairs of frequency 0.  The graph then has one rotary pattern, which the CPU plugin fuses.

Source of the rotation: Su et al., RoFormer (2021), eq. 34; of the scalings: the papers and
configurations named at each function.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ir.matrix import Order


class RotaryUnknown(Exception):
    """A configuration asks for a scaling that is not known here."""


@dataclass(frozen=True, slots=True)
class Rotary:
    """How a head turns with its position.

    ``frequencies``: radians a position, float64 (axes, head size / 2); one axis, or two for
    ChatGLM-6B (position, position within the block).  ``order``: where each element of a reordered
    head lies in the checkpoint, (head size,).  ``magnitude`` multiplies sine and cosine.
    """

    frequencies: NDArray[np.float64]
    order: Order
    magnitude: float = 1.0


def rotary(
    head_size: int,
    base: float,
    turning: int | None = None,
    *,
    neighbours: bool = False,
    scaling: Mapping[str, Any] | None = None,
    context: int = 0,
) -> Rotary:
    """One-axis rotation of the first ``turning`` elements of a head (None: all).

    ``neighbours``: pairs are (0, 1), (2, 3)…, otherwise (0, n/2), (1, n/2+1)….  ``scaling`` as
    Hugging Face configurations write it; ``context`` is ``max_position_embeddings``.

    Raises:
        RotaryUnknown: the scaling is not known.
    """
    size = head_size if turning is None else turning
    inverse = base ** (-np.arange(0, size, 2, dtype=np.float64) / size)
    inverse, magnitude = _scaled(inverse, base, size, scaling or {}, context)
    still = (head_size - size) // 2
    frequencies = np.concatenate([inverse, np.zeros(still)])[np.newaxis]
    turned = np.arange(size)
    rest = np.arange(size, head_size)
    first, second = (
        (turned[::2], turned[1::2]) if neighbours else (turned[: size // 2], turned[size // 2 :])
    )
    order = np.concatenate([first, rest[:still], second, rest[still:]])
    return Rotary(frequencies, order.astype(np.int64), magnitude)


def rotary_two_axes(head_size: int, base: float = 10_000.0) -> Rotary:
    """ChatGLM-6B: one half of a head turns with the position, the other with the block position."""
    half = head_size // 2
    inverse = base ** (-np.arange(0, half, 2, dtype=np.float64) / half)
    zeros = np.zeros_like(inverse)
    frequencies = np.stack([np.concatenate([inverse, zeros]), np.concatenate([zeros, inverse])])
    quarter = np.arange(head_size).reshape(2, 2, half // 2)
    order = quarter.transpose(1, 0, 2).reshape(-1)
    return Rotary(frequencies, order.astype(np.int64))


def _scaled(
    inverse: NDArray[np.float64],
    base: float,
    size: int,
    scaling: Mapping[str, Any],
    context: int,
) -> tuple[NDArray[np.float64], float]:
    kind = str(scaling.get("rope_type") or scaling.get("type") or "default")
    if kind == "default":
        return inverse, 1.0
    if kind == "linear":
        return inverse / float(scaling["factor"]), 1.0
    if kind == "divisors":
        return inverse / np.asarray(scaling["divisors"], np.float64), 1.0
    if kind == "llama3":
        return _llama3(inverse, scaling), 1.0
    if kind == "yarn":
        return _yarn(inverse, base, size, scaling, context)
    raise RotaryUnknown(f"rope_scaling type {kind!r} (known: default, linear, llama3, yarn)")


def _llama3(inverse: NDArray[np.float64], scaling: Mapping[str, Any]) -> NDArray[np.float64]:
    """Long waves slow down by ``factor``, short ones stay, those between are blended.

    Source: the Llama 3.1 model card's ``rope_scaling`` and its reference configuration.
    """
    original = float(scaling["original_max_position_embeddings"])
    low, high = float(scaling["low_freq_factor"]), float(scaling["high_freq_factor"])
    turns = original * inverse / (2 * math.pi)
    blend = np.clip((turns - low) / (high - low), 0.0, 1.0)
    slow: NDArray[np.float64] = inverse / float(scaling["factor"])
    return slow * (1 - blend) + inverse * blend


def _yarn(
    inverse: NDArray[np.float64],
    base: float,
    size: int,
    scaling: Mapping[str, Any],
    context: int,
) -> tuple[NDArray[np.float64], float]:
    """Peng et al., YaRN (2023), section 3.2 (by parts) and 3.4 (temperature).

    Options and defaults as in Transformers 5.5.4, modeling_rope_utils, _compute_yarn_parameters.
    """
    original = float(scaling.get("original_max_position_embeddings") or context)
    factor = context / original if scaling["factor"] is None else float(scaling["factor"])

    def dimension(turns: float) -> float:
        return size * math.log(original / (turns * 2 * math.pi)) / (2 * math.log(base))

    low = dimension(float(scaling.get("beta_fast") or 32))
    high = dimension(float(scaling.get("beta_slow") or 1))
    if scaling.get("truncate", True):
        low, high = math.floor(low), math.ceil(high)
    low, high = max(low, 0), min(high, size - 1)
    ramp = np.clip((np.arange(size // 2) - low) / max(high - low, 0.001), 0.0, 1.0)
    magnitude = scaling.get("attention_factor")
    if magnitude is None:
        above, below = scaling.get("mscale"), scaling.get("mscale_all_dim")
        magnitude = (
            _temperature(factor, float(above)) / _temperature(factor, float(below))
            if above and below
            else _temperature(factor)
        )
    return inverse / factor * ramp + inverse * (1 - ramp), float(magnitude)


def _temperature(factor: float, scale: float = 1.0) -> float:
    return 0.1 * scale * math.log(factor) + 1.0 if factor > 1 else 1.0
