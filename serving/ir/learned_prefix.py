"""Learned keys and values before every prompt: P-tuning v2, and PEFT's prefix tuning.

Sources: Li and Liang, Prefix-Tuning (2021); Liu et al., P-Tuning v2 (2022).  Both keep one row a
virtual token, with the key and the value of every layer beside each other, all heads of each.
ChatGLM's own training keeps it as ``prefix_encoder.embedding.weight`` with ``pre_seq_len`` in
``config.json``, and counts positions as if it were not there; PEFT keeps ``prompt_embeddings``, and
its virtual tokens have positions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from serving.ir.architecture import Architecture, Attention
from serving.ir.checkpoint import CheckpointError, files_like
from serving.ir.matrix import Floats, Order
from serving.ir.safetensors_checkpoint import read_tensors

ENCODER = "prefix_encoder.embedding.weight"
_PEFT, _PEFT_TENSOR = "adapter_config.json", "prompt_embeddings"


@dataclass(frozen=True, slots=True)
class LearnedPrefix:
    """``states``: name of a variable of the graph → [1, heads, tokens, head size], float32.
    ``positions``: whether the tokens of a prompt are counted behind it."""

    tokens: int
    states: Mapping[str, Floats]
    positions: bool


def read_prefix(folder: Path, architecture: Architecture) -> LearnedPrefix:
    """The prefix that ``folder`` holds, as the graph of ``architecture`` keeps keys and values.

    Raises:
        CheckpointError: it holds none, is damaged, or was trained on a model of another shape.
    """
    peft = (folder / _PEFT).is_file()
    table = _peft(folder) if peft else _published(folder)
    layers, heads, size = architecture.layer_count, architecture.kv_heads, architecture.head_size
    if table.ndim != 2 or table.shape[1] != 2 * layers * heads * size:
        raise CheckpointError(
            f"前缀 {folder.name} 不是在这个模型上训练的。(The prefix {folder.name} has the shape "
            f"{list(table.shape)}; this model needs {2 * layers * heads * size} numbers a token.)"
        )
    if not np.isfinite(table).all():
        raise CheckpointError(f"{folder} has a number that is infinite or none.")
    apart = table.reshape(len(table), layers, 2, heads, size).transpose(1, 2, 3, 0, 4)
    states = {}
    for index in range(layers):
        of = architecture.layer(index).attention
        if not isinstance(of, Attention):
            raise CheckpointError(
                f"{architecture.family}: a layer without keys of its own takes no prefix."
            )
        order = _key_order(of, architecture)
        states[f"key.{index}"] = np.ascontiguousarray(apart[index, 0][np.newaxis][..., order])
        states[f"value.{index}"] = np.ascontiguousarray(apart[index, 1][np.newaxis])
    return LearnedPrefix(len(table), states, peft)


def _key_order(of: Attention, architecture: Architecture) -> Order:
    """Which number of a head's key, as the checkpoint has it, stands at each place in the graph."""
    size = architecture.head_size
    rows = [
        np.arange(part.rows, dtype=np.int64) if part.order is None else part.order
        for part in of.qkv.weight.segments
    ]
    first = architecture.heads * size
    head = np.concatenate(rows)[first : first + size]
    return np.asarray(head - head.min(), np.int64)


def _peft(folder: Path) -> Floats:
    settings = _json(folder / _PEFT)
    if settings.get("peft_type") != "PREFIX_TUNING":
        raise CheckpointError(
            f"{folder / _PEFT}: peft_type {settings.get('peft_type')!r} is no learned prefix "
            "(PREFIX_TUNING is)."
        )
    found = read_tensors(folder / "adapter_model.safetensors")
    if _PEFT_TENSOR not in found:
        raise CheckpointError(f"{folder} holds no tensor {_PEFT_TENSOR}.")
    return found[_PEFT_TENSOR]


def _published(folder: Path) -> Floats:
    """As ChatGLM's own training leaves it."""
    settings = _json(folder / "config.json")
    if settings.get("prefix_projection"):
        raise CheckpointError(
            f"{folder}: a prefix that a network computes (prefix_projection) is not supported."
        )
    for file in files_like(folder, "*.safetensors"):
        for array in read_tensors(file, ENCODER).values():
            return array
    raise CheckpointError(
        f"{folder} 中没有前缀（{ENCODER}）；若是 .bin 文件，请先运行 bedside model rewrite。"
        "(It holds no prefix; of a .bin file `bedside model rewrite` makes safetensors first.)"
    )


def _json(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be read.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} is not a JSON object.")
    return value
