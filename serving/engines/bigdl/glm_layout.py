"""ChatGLM2, ChatGLM3 and GLM-4 as published → the layout of Transformers' own ``GlmForCausalLM``.

The models are the same; the published checkpoints keep query, key and value in one tensor, use
other names, and come with Python code of their own, which is never run here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ROPE_BASE = 10_000.0


class LayoutUnsupported(Exception):
    """The checkpoint does something that the native layout cannot say."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows ``start`` to ``stop`` (None: all that follow) of one tensor of the checkpoint."""

    tensor: str
    start: int = 0
    stop: int | None = None


def native_config(published: Mapping[str, Any], family: str) -> dict[str, Any]:
    """The configuration in the words of ``GlmForCausalLM``.

    ``family`` is ``chatglm2``, ``chatglm3`` or ``glm4-chatglm``.

    Raises:
        LayoutUnsupported: the configuration switches on what the native layout does not have.
        KeyError: it lacks a field.
    """
    _check_plain(published)
    return {
        "model_type": "glm",
        "hidden_size": int(published["hidden_size"]),
        "intermediate_size": int(published["ffn_hidden_size"]),
        "num_hidden_layers": int(published["num_layers"]),
        "num_attention_heads": int(published["num_attention_heads"]),
        "num_key_value_heads": _groups(published),
        "head_dim": _head(published),
        "vocab_size": int(published["padded_vocab_size"]),
        "max_position_embeddings": int(published.get("seq_length", 8192)),
        "rms_norm_eps": float(published.get("layernorm_epsilon", 1e-5)),
        "attention_bias": _biased(published),
        "hidden_act": "silu",
        "rope_parameters": _rope(float(published.get("rope_ratio", 1.0)), family),
        "pad_token_id": published.get("pad_token_id"),
        "eos_token_id": published.get("eos_token_id"),
        "tie_word_embeddings": False,
    }


def native_tensors(published: Mapping[str, Any]) -> dict[str, Piece]:
    """Every tensor of the native layout, and where it lies in the published one."""
    head, heads, groups = (
        _head(published),
        int(published["num_attention_heads"]),
        _groups(published),
    )
    ends = {"q_proj": heads * head, "k_proj": groups * head, "v_proj": groups * head}
    tied = bool(published.get("tie_word_embeddings"))
    embedding = "transformer.embedding.word_embeddings.weight"
    found = {
        "model.embed_tokens.weight": Piece(embedding),
        "model.norm.weight": Piece("transformer.encoder.final_layernorm.weight"),
        "lm_head.weight": Piece(embedding if tied else "transformer.output_layer.weight"),
    }
    for index in range(int(published["num_layers"])):
        ours, theirs = f"model.layers.{index}", f"transformer.encoder.layers.{index}"
        for kind in ("weight", "bias") if _biased(published) else ("weight",):
            start = 0
            for name, rows in ends.items():
                fused = f"{theirs}.self_attention.query_key_value.{kind}"
                found[f"{ours}.self_attn.{name}.{kind}"] = Piece(fused, start, start + rows)
                start += rows
        found |= {
            f"{ours}.{name}.weight": Piece(f"{theirs}.{published_name}.weight")
            for name, published_name in _SAME.items()
        }
    return found


_SAME = {
    "self_attn.o_proj": "self_attention.dense",
    "mlp.gate_up_proj": "mlp.dense_h_to_4h",
    "mlp.down_proj": "mlp.dense_4h_to_h",
    "input_layernorm": "input_layernorm",
    "post_attention_layernorm": "post_attention_layernorm",
}


def _head(published: Mapping[str, Any]) -> int:
    whole = int(published["hidden_size"]) // int(published["num_attention_heads"])
    return int(published.get("kv_channels") or whole)


def _groups(published: Mapping[str, Any]) -> int:
    grouped = published.get("multi_query_attention")
    return int(published["multi_query_group_num" if grouped else "num_attention_heads"])


def _biased(published: Mapping[str, Any]) -> bool:
    return bool(published.get("add_qkv_bias"))


def _rope(ratio: float, family: str) -> dict[str, Any]:
    rope = {"rope_type": "default", "rope_theta": _ROPE_BASE, "partial_rotary_factor": 0.5}
    if ratio == 1.0:
        return rope
    # ChatGLM2-6B-32k divides positions by the ratio; the later ones multiply the base by it.
    if family == "chatglm2":
        return rope | {"rope_type": "linear", "factor": ratio}
    return rope | {"rope_theta": _ROPE_BASE * ratio}


def _check_plain(published: Mapping[str, Any]) -> None:
    wanted = {
        "rmsnorm": True,
        "post_layer_norm": True,
        "add_bias_linear": False,
        "apply_residual_connection_post_layernorm": False,
    }
    for name, value in wanted.items():
        if bool(published.get(name, value)) is not value:
            raise LayoutUnsupported(f"config.json: {name} {published[name]!r} is not supported")
    if published.get("pre_seq_len"):
        raise LayoutUnsupported("config.json: prefix tuning (pre_seq_len) is not supported")
