"""A GGUF file, read under the names and fields of the Hugging Face layout.

Format and names: the GGUF specification and the tensor-name table of the ``gguf`` package, which
also dequantises.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.ir.checkpoint import Checkpoint, CheckpointError
from serving.ir.matrix import Order, Stored, as_rows
from serving.models.manifest import sha256_of

_LLAMA_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
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
    "mlp.down_proj": "ffn_down",
    "mlp.gate_up_proj": "ffn_up",
    "mlp.gate": "ffn_gate_inp",
    "mlp.experts.gate_proj": "ffn_gate_exps",
    "mlp.experts.up_proj": "ffn_up_exps",
    "mlp.experts.down_proj": "ffn_down_exps",
    "post_self_attn_layernorm": "post_attention_norm",
    "post_mlp_layernorm": "post_ffw_norm",
}
_CHATGLM_NAMES = {
    "transformer.embedding.word_embeddings": "token_embd",
    "transformer.encoder.final_layernorm": "output_norm",
    "transformer.output_layer": "output",
    "input_layernorm": "attn_norm",
    "self_attention.query_key_value": "attn_qkv",
    "self_attention.dense": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.dense_h_to_4h": "ffn_up",
    "mlp.dense_4h_to_h": "ffn_down",
}
_LAYER = re.compile(r"^(?:model|transformer\.encoder)\.layers\.(\d+)\.(.+)\.(weight|bias)$")
_FACTORS = "rope_freqs.weight"
_APART = "blk.0.attn_q.weight"
_MIXED = "qwen3moe"
_KINDS = ("llama", "qwen2", "qwen3", _MIXED, "glm4", "chatglm")


@dataclass(frozen=True, slots=True)
class _Tensor:
    shape: tuple[int, ...]
    quantization: Any
    kind: np.dtype[Any]
    stored_shape: tuple[int, ...]
    offset: int


class GgufCheckpoint(Checkpoint):
    """One file; tensors are mapped, and dequantised a few rows at a time."""

    def __init__(self, path: Path) -> None:
        """Read the metadata.

        Raises:
            CheckpointError: the file is cut short, in parts, or of an architecture not known here.
        """
        from gguf import GGUFReader

        self.path = path
        try:
            reader = GGUFReader(str(path))
            self._tensors = {tensor.name: _tensor(tensor) for tensor in reader.tensors}
            # Kept whole: parsing a large vocabulary takes seconds, and the tokenizer needs it too.
            fields = {key: field.contents() for key, field in reader.fields.items()}
        except (OSError, ValueError, IndexError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path} is no complete GGUF file; fetch it again.") from error
        if int(fields.get("split.count", 1)) > 1:
            raise CheckpointError(
                f"{path} is one part of several; join them with gguf-split first."
            )
        kind = str(fields.get("general.architecture", ""))
        if kind not in _KINDS:
            raise CheckpointError(
                f"{path}: GGUF architecture {kind!r} is not known (known: {', '.join(_KINDS)})."
            )
        self.metadata = fields
        # A file made of the Hugging Face layout of GLM-4 says chatglm too, and keeps query, key
        # and value apart as that layout does.
        fused = kind == "chatglm" and _APART not in self._tensors
        self._names = _CHATGLM_NAMES if fused else _LLAMA_NAMES
        try:
            self.config = (_chatglm_config if fused else _llama_config)(self, _Fields(kind, fields))
        except KeyError as error:
            raise CheckpointError(f"{path} lacks the field {error.args[0]}.") from error
        except (TypeError, ValueError, ZeroDivisionError) as error:
            raise CheckpointError(
                f"{path}: its metadata give no plain {kind} model ({error})."
            ) from error

    def file(self, name: str) -> Path:
        """See `Checkpoint.file`."""
        self.shape(name)
        return self.path

    def names(self) -> list[str]:
        """See `Checkpoint.names`; as GGUF calls them."""
        return sorted(self._tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        """See `Checkpoint.shape`."""
        return self._tensor(name).shape

    def kind(self, name: str) -> str:
        """See `Checkpoint.kind`."""
        return str(self._tensor(name).quantization.name)

    @property
    def bytes(self) -> int:
        """See `Checkpoint.bytes`."""
        return self.path.stat().st_size

    def digests(self) -> dict[str, str]:
        """See `Checkpoint.digests`."""
        return {self.path.name: sha256_of(self.path)}

    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        """See `Checkpoint.stored`."""
        from gguf.quants import dequantize

        tensor = self._tensor(name)
        # Mapped anew each time, so that pages already read do not count as this process's memory.
        mapped = np.memmap(
            self.path, tensor.kind, "r", offset=tensor.offset, shape=as_rows(tensor.stored_shape)
        )
        part = np.ascontiguousarray(mapped if rows is None else mapped[rows])
        return np.asarray(dequantize(part, tensor.quantization), np.float32)

    def refuse_codes(self, name: str) -> None:
        """See `Checkpoint.refuse_codes`."""
        from gguf.quants import dequantize

        tensor = self._tensor(name)
        try:
            dequantize(np.zeros((1, tensor.stored_shape[-1]), tensor.kind), tensor.quantization)
        except NotImplementedError as error:
            raise CheckpointError(
                f"{self.path}: the tensor {name} is of type {tensor.quantization.name}, which "
                "cannot be read here; use a file with other types."
            ) from error

    def holds(self, name: str) -> bool:
        """Whether the tensor, under its Hugging Face name, is in the file."""
        return self._stored_name(name) in self._tensors

    def divisors(self) -> list[float]:
        """What each rotary frequency is divided by (Llama 3), empty where the file has none."""
        if _FACTORS not in self._tensors:
            return []
        return [float(value) for value in self.read(_FACTORS)]

    def _tensor(self, name: str) -> _Tensor:
        try:
            return self._tensors[self._stored_name(name)]
        except KeyError as error:
            raise CheckpointError(
                f"{self.path}: the tensor {self._stored_name(name)} is missing."
            ) from error

    def _stored_name(self, name: str) -> str:
        layer = _LAYER.match(name)
        if layer:
            return f"blk.{layer[1]}.{self._names.get(layer[2], layer[2])}.{layer[3]}"
        stem, _, kind = name.rpartition(".")
        return f"{self._names.get(stem, stem)}.{kind}"


class _Fields:
    """Metadata of one architecture."""

    def __init__(self, kind: str, fields: Mapping[str, Any]) -> None:
        self.kind = kind
        self._fields = fields

    def __getitem__(self, key: str) -> Any:
        return self._fields[f"{self.kind}.{key}"]

    def get(self, key: str, default: Any = None) -> Any:
        return self._fields.get(f"{self.kind}.{key}", default)


def _llama_config(file: GgufCheckpoint, fields: _Fields) -> dict[str, Any]:
    heads = int(fields["attention.head_count"])
    hidden = int(fields["embedding_length"])
    head = int(fields.get("attention.key_length") or hidden // heads)
    scaling: dict[str, Any] = {}
    if kind := fields.get("rope.scaling.type"):
        scaling = {
            "rope_type": {"none": "default"}.get(str(kind), str(kind)),
            "factor": fields.get("rope.scaling.factor", 1.0),
            "original_max_position_embeddings": fields.get("rope.scaling.original_context_length"),
        }
    if divisors := file.divisors():
        scaling = {"rope_type": "divisors", "divisors": divisors}
    experts = _experts(fields) if fields.kind == _MIXED else {}
    return experts | {
        "model_type": {"chatglm": "glm", _MIXED: "qwen3_moe"}.get(fields.kind, fields.kind),
        "hidden_size": hidden,
        "intermediate_size": int(fields.get("feed_forward_length") or hidden),
        "num_hidden_layers": int(fields["block_count"]),
        "num_attention_heads": heads,
        "num_key_value_heads": int(fields.get("attention.head_count_kv") or heads),
        "head_dim": head,
        "vocab_size": file.shape("model.embed_tokens.weight")[0],
        "max_position_embeddings": int(fields["context_length"]),
        "rms_norm_eps": float(fields["attention.layer_norm_rms_epsilon"]),
        "rope_theta": float(fields.get("rope.freq_base", 10_000.0)),
        "rope_scaling": scaling,
        "partial_rotary_factor": int(fields.get("rope.dimension_count") or head) / head,
        # Files of Llama keep query and key with neighbours paired, whatever the original did.
        "rope_neighbours": fields.kind == "llama",
        "attention_bias": file.holds("model.layers.0.self_attn.q_proj.bias"),
        "tie_word_embeddings": not file.holds("lm_head.weight"),
    }


def _experts(fields: _Fields) -> dict[str, Any]:
    return {
        "num_experts": int(fields["expert_count"]),
        "num_experts_per_tok": int(fields["expert_used_count"]),
        "moe_intermediate_size": int(fields["expert_feed_forward_length"]),
        "norm_topk_prob": True,
        # All of a layer in one tensor each way.
        "experts_together": True,
    }


def _chatglm_config(file: GgufCheckpoint, fields: _Fields) -> dict[str, Any]:
    heads = int(fields["attention.head_count"])
    hidden = int(fields["embedding_length"])
    fused = file.shape("transformer.encoder.layers.0.self_attention.query_key_value.weight")[0]
    kv_heads = int(fields.get("attention.head_count_kv") or heads)
    return {
        "model_type": "chatglm",
        "hidden_size": hidden,
        "ffn_hidden_size": int(fields["feed_forward_length"]),
        "num_layers": int(fields["block_count"]),
        "num_attention_heads": heads,
        "kv_channels": fused // (heads + 2 * kv_heads),
        "multi_query_attention": True,
        "multi_query_group_num": kv_heads,
        "padded_vocab_size": file.shape("transformer.embedding.word_embeddings.weight")[0],
        "seq_length": int(fields["context_length"]),
        "layernorm_epsilon": float(fields["attention.layer_norm_rms_epsilon"]),
        "rope_ratio": float(fields.get("rope.freq_base", 10_000.0)) / 10_000.0,
        "add_qkv_bias": file.holds(
            "transformer.encoder.layers.0.self_attention.query_key_value.bias"
        ),
        "tie_word_embeddings": not file.holds("transformer.output_layer.weight"),
    }


def _tensor(found: Any) -> _Tensor:
    return _Tensor(
        shape=tuple(int(size) for size in reversed(found.shape)),
        quantization=found.tensor_type,
        kind=found.data.dtype,
        stored_shape=found.data.shape,
        offset=int(found.data_offset),
    )
