"""A tiny checkpoint folder written again as GGUF, under the names and in the row orders that
llama.cpp's own conversion gives each architecture."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gguf import GGMLQuantizationType, GGUFWriter
from gguf.quants import quantize
from reference_weights import read_weights

NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "transformer.embedding.word_embeddings": "token_embd",
    "transformer.encoder.final_layernorm": "output_norm",
    "transformer.output_layer": "output",
}
LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.gate": "ffn_gate_inp",
    "mlp.experts.gate_proj": "ffn_gate_exps",
    "mlp.experts.up_proj": "ffn_up_exps",
    "mlp.experts.down_proj": "ffn_down_exps",
    "mlp.down_proj": "ffn_down",
    "post_self_attn_layernorm": "post_attention_norm",
    "post_mlp_layernorm": "post_ffw_norm",
    "self_attention.query_key_value": "attn_qkv",
    "self_attention.dense": "attn_output",
    "mlp.dense_h_to_4h": "ffn_up",
    "mlp.dense_4h_to_h": "ffn_down",
}
_LAYER = re.compile(r"(?:model|transformer\.encoder)\.layers\.(\d+)\.(.+)\.(weight|bias)")


def gguf_name(name: str) -> str:
    """A tensor's name in the file."""
    if layer := _LAYER.fullmatch(name):
        return f"blk.{layer[1]}.{LAYER_NAMES[layer[2]]}.{layer[3]}"
    stem, _, kind = name.rpartition(".")
    return f"{NAMES[stem]}.{kind}"


def interleaved(rows: npt.NDArray[Any], heads: int) -> npt.NDArray[Any]:
    """Rows of query or key as files of Llama keep them: the halves of each head by turns."""
    halves = rows.reshape(heads, 2, len(rows) // heads // 2, *rows.shape[1:])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def write_gguf(
    folder: Path,
    path: Path,
    kind: GGMLQuantizationType = GGMLQuantizationType.F32,
    *,
    extra: dict[str, Any] | None = None,
    leave_out: str = "",
    more: dict[str, Any] | None = None,
) -> Path:
    """``folder`` as a GGUF file without a tokenizer.

    ``extra`` sets or, where None, drops metadata below the architecture's name; ``leave_out``
    names a tensor that is not written; ``more`` is metadata by its whole name.
    """
    config = json.loads((folder / "config.json").read_text())
    own = {"glm": "chatglm", "qwen3_moe": "qwen3moe"}
    architecture = own.get(config["model_type"], str(config["model_type"]))
    weights = {
        name: np.asarray(value, np.float32)
        for name, value in read_weights(folder).items()
        if not name.endswith("inv_freq")
    }
    weights = _together(weights)
    writer = GGUFWriter(str(path), architecture)
    for key, value in (_metadata(config) | (extra or {})).items():
        if isinstance(value, float):
            writer.add_float32(f"{architecture}.{key}", value)
        elif isinstance(value, str):
            writer.add_string(f"{architecture}.{key}", value)
        elif value is not None:
            writer.add_uint32(f"{architecture}.{key}", value)
    for key, value in (more or {}).items():
        if isinstance(value, list):
            writer.add_array(key, value)
        elif isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_uint32(key, value)
    scaling = config.get("rope_scaling") or {}
    if scaling.get("rope_type") == "llama3":
        writer.add_tensor("rope_freqs.weight", _divisors(config, scaling))
    for name, value in weights.items():
        if gguf_name(name) == leave_out:
            continue
        if architecture == "llama" and (found := re.search(r"\.([qk])_proj\.", name)):
            heads = config["num_attention_heads" if found[1] == "q" else "num_key_value_heads"]
            value = interleaved(value, heads)
        coded = value.ndim > 1 and "gate_inp" not in gguf_name(name)
        stored = kind if coded else GGMLQuantizationType.F32
        writer.add_tensor(gguf_name(name), quantize(value, stored), raw_dtype=stored)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _together(weights: dict[str, Any]) -> dict[str, Any]:
    """The experts of a layer in one tensor each way."""
    found: dict[str, Any] = {}
    apart: dict[str, list[Any]] = {}
    for name, value in weights.items():
        if expert := re.fullmatch(r"(.+\.experts)\.\d+(\..+)", name):
            apart.setdefault(expert[1] + expert[2], []).append(value)
        else:
            found[name] = value
    return found | {name: np.stack(values) for name, values in apart.items()}


def _metadata(config: dict[str, Any]) -> dict[str, Any]:
    if config["model_type"] == "chatglm":
        return {
            "context_length": config["seq_length"],
            "block_count": config["num_layers"],
            "embedding_length": config["hidden_size"],
            "feed_forward_length": config["ffn_hidden_size"],
            "attention.head_count": config["num_attention_heads"],
            "attention.head_count_kv": config["multi_query_group_num"],
            "attention.layer_norm_rms_epsilon": config["layernorm_epsilon"],
            "rope.dimension_count": config["kv_channels"] // 2,
            "rope.freq_base": 10_000.0 * config.get("rope_ratio", 1),
        }
    heads = config["num_attention_heads"]
    head = config.get("head_dim") or config["hidden_size"] // heads
    found: dict[str, Any] = {
        "context_length": config["max_position_embeddings"],
        "block_count": config["num_hidden_layers"],
        "embedding_length": config["hidden_size"],
        "feed_forward_length": config["intermediate_size"],
        "attention.head_count": heads,
        "attention.head_count_kv": config["num_key_value_heads"],
        "attention.key_length": head,
        "attention.value_length": head,
        "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
        "rope.dimension_count": int(head * config.get("partial_rotary_factor", 1)),
        "rope.freq_base": config["rope_theta"],
    }
    if "num_experts" in config:
        found["expert_count"] = config["num_experts"]
        found["expert_used_count"] = config["num_experts_per_tok"]
        found["expert_feed_forward_length"] = config["moe_intermediate_size"]
    scaling = config.get("rope_scaling") or {}
    if scaling.get("type") == "linear":
        found |= {"rope.scaling.type": "linear", "rope.scaling.factor": scaling["factor"]}
    return found


def _divisors(config: dict[str, Any], scaling: dict[str, Any]) -> npt.NDArray[np.float32]:
    """What llama.cpp writes for Llama 3: by how much each frequency is divided."""
    head = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
    waves = 2 * np.pi * config["rope_theta"] ** (np.arange(0, head, 2) / head)
    old, factor = scaling["original_max_position_embeddings"], scaling["factor"]
    low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
    blend = (old / waves - low) / (high - low)
    between = 1 / ((1 - blend) / factor + blend)
    divisors = np.where(waves < old / high, 1.0, np.where(waves > old / low, factor, between))
    return divisors.astype(np.float32)
