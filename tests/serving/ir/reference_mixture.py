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
        if config.get("norm_topk_prob", True):
            shares = shares / shares.sum()
        shares = shares * config.get("routed_scaling_factor", 1.0)
        for expert, share in zip(chosen, shares, strict=True):
            result[place] += share * _expert(weights, name, int(expert), token[None])[0]
    if f"{name}.shared_experts.gate_proj.weight" in weights:
        result += mlp(weights, f"{name}.shared_experts", x)
    if f"{name}.shared_expert_gate.weight" in weights:
        gate = linear(x, weights[f"{name}.shared_expert_gate.weight"])
        result += mlp(weights, f"{name}.shared_expert", x) / (1 + np.exp(-gate))
    return result


def _expert(weights: dict[str, Array], name: str, expert: int, x: Array) -> Array:
    """One expert, in tensors of its own or in one of all."""
    if f"{name}.experts.gate_up_proj" not in weights:
        return mlp(weights, f"{name}.experts.{expert}", x)
    gate, up = np.split(linear(x, weights[f"{name}.experts.gate_up_proj"][expert]), 2, axis=-1)
    return linear(silu(gate) * up, weights[f"{name}.experts.down_proj"][expert])
