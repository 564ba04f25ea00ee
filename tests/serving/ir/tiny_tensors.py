"""Sizes and tensors of tiny checkpoints, and what the layouts share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal[
    "linear",
    "attention",
    "output",
    "head",
    "embedding",
    "norm",
    "difference",
    "bias",
    "frequencies",
]
Config = dict[str, Any]


@dataclass(frozen=True)
class TensorSpec:
    """One tensor of a checkpoint; ``base`` is the rotary base where the role is ``frequencies``."""

    name: str
    shape: tuple[int, ...]
    role: Role
    base: float = 10000.0


@dataclass(frozen=True)
class Geometry:
    """Sizes and choices of a tiny checkpoint; what a family has no use for it ignores."""

    layers: int = 2
    hidden: int = 128
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 32
    intermediate: int = 176
    experts: int = 6
    chosen: int = 2
    expert_width: int = 64
    dense_layers: int = 0
    normalised: bool = True
    key_states: int = 2
    value_states: int = 4
    state_size: int = 16
    with_pictures: bool = False
    narrow: int = 40
    vocab: int = 331
    context: int = 2048
    eps: float = 1e-5
    dtype: Literal["float16", "bfloat16", "float32"] = "float32"
    tied: bool = False
    qkv_bias: bool | None = None
    rope_theta: float = 10000.0
    rope_ratio: float | None = None
    rope_scaling: dict[str, Any] | None = None
    rotary_buffers: bool | None = None
    shards: int = 1


def linear(name: str, out: int, into: int, bias: bool, role: Role = "linear") -> list[TensorSpec]:
    weight = TensorSpec(f"{name}.weight", (out, into), role)
    return [weight, TensorSpec(f"{name}.bias", (out,), "bias")] if bias else [weight]


def norm(name: str, size: int, bias: bool = False) -> list[TensorSpec]:
    weight = TensorSpec(f"{name}.weight", (size,), "norm")
    return [weight, TensorSpec(f"{name}.bias", (size,), "bias")] if bias else [weight]


def mlp(name: str, width: int, hidden: int) -> Iterator[TensorSpec]:
    yield from linear(f"{name}.gate_proj", width, hidden, False)
    yield from linear(f"{name}.up_proj", width, hidden, False)
    yield from linear(f"{name}.down_proj", hidden, width, False, "output")


def experts(g: Geometry, name: str) -> Iterator[TensorSpec]:
    yield from linear(f"{name}.gate", g.experts, g.hidden, False, "attention")
    for number in range(g.experts):
        yield from mlp(f"{name}.experts.{number}", g.expert_width, g.hidden)


def corrected_experts(g: Geometry, name: str) -> Iterator[TensorSpec]:
    yield from experts(g, name)
    yield TensorSpec(f"{name}.gate.e_score_correction_bias", (g.experts,), "bias")
    yield from mlp(f"{name}.shared_experts", g.expert_width, g.hidden)


def decoder_config(g: Geometry, model_type: str, architecture: str) -> Config:
    return {
        "architectures": [architecture],
        "attention_dropout": 0.0,
        "bos_token_id": g.vocab - 4,
        "eos_token_id": g.vocab - 3,
        "hidden_act": "silu",
        "hidden_size": g.hidden,
        "initializer_range": 0.02,
        "intermediate_size": g.intermediate,
        "max_position_embeddings": g.context,
        "model_type": model_type,
        "num_attention_heads": g.heads,
        "num_hidden_layers": g.layers,
        "num_key_value_heads": g.kv_heads,
        "rms_norm_eps": g.eps,
        "rope_theta": g.rope_theta,
        "tie_word_embeddings": g.tied,
        "torch_dtype": g.dtype,
        "transformers_version": "4.46.3",
        "use_cache": True,
        "vocab_size": g.vocab,
    }
