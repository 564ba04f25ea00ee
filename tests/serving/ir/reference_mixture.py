"""Mixtures of experts in numpy, token by token.

Sources: the Qwen3 technical report; DeepSeek-AI 2024, "DeepSeek-V3 Technical Report", section 2.1.2
(the correction that only the choice sees), which GLM-4.5 follows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from reference_layers import Array, linear, silu


def mlp(weights: dict[str, Array], name: str, x: Array) -> Array:
    """A gated MLP."""
    gate, up = (linear(x, weights[f"{name}.{part}_proj.weight"]) for part in ("gate", "up"))
    return linear(silu(gate) * up, weights[f"{name}.down_proj.weight"])


def mixture(config: dict[str, Any], weights: dict[str, Array], name: str, x: Array) -> Array:
    """What the chosen experts, and the one that all tokens have, make of ``x`` [length, hidden]."""
    scored = linear(x, weights[f"{name}.gate.weight"])
    correction = weights.get(f"{name}.gate.e_score_correction_bias")
    if correction is None:
        raised = np.exp(scored - scored.max(axis=-1, keepdims=True))
        scores = judged = raised / raised.sum(axis=-1, keepdims=True)
    else:
        scores = 1 / (1 + np.exp(-scored))
        judged = scores + correction
    result = np.zeros_like(x)
    for place, token in enumerate(x):
        chosen = np.argsort(-judged[place])[: config["num_experts_per_tok"]]
        shares = scores[place, chosen]
        if config["norm_topk_prob"]:
            shares = shares / shares.sum()
        shares = shares * config.get("routed_scaling_factor", 1.0)
        for expert, share in zip(chosen, shares, strict=True):
            result[place] += share * mlp(weights, f"{name}.experts.{expert}", token[None])[0]
    if f"{name}.shared_experts.gate_proj.weight" in weights:
        result += mlp(weights, f"{name}.shared_experts", x)
    return result
