"""Small checkpoints of random weights, written in the published layout of each family.

The weights are scaled so that logits have a spread of a few units and attention is neither flat
nor a single peak: a wrong angle, a forgotten bias or a swapped head shows clearly.
"""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tiny_families import FAMILIES
from tiny_tensors import Geometry, TensorSpec

DTYPE_TAGS = {"float16": "F16", "bfloat16": "BF16", "float32": "F32"}

_LLAMA3_ROPE = {
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 48,
    "rope_type": "llama3",
}

GEOMETRIES: dict[str, dict[str, dict[str, Any]]] = {
    "chatglm2": {
        "6b-like": {"dtype": "float16"},
        "one-group": {"heads": 3, "kv_heads": 1, "head_dim": 64, "hidden": 192, "shards": 2},
        "32k": {"rope_ratio": 16, "heads": 8, "kv_heads": 4, "head_dim": 32, "hidden": 160},
    },
    "chatglm3": {
        "6b-like": {"dtype": "float16", "vocab": 517},
        "head-128": {"heads": 3, "kv_heads": 1, "head_dim": 128, "hidden": 384, "shards": 3},
        "32k": {"rope_ratio": 50, "heads": 8, "kv_heads": 4, "head_dim": 64, "hidden": 256},
        "no-bias": {"qkv_bias": False, "layers": 3},
    },
    "glm4": {
        "9b-like": {"dtype": "bfloat16", "eps": 1.5625e-07, "vocab": 451},
        "1m": {"rope_ratio": 10000, "heads": 8, "kv_heads": 4, "head_dim": 64, "hidden": 320},
        "head-128": {"heads": 6, "kv_heads": 2, "head_dim": 128, "hidden": 256, "shards": 2},
    },
    "glm": {
        "9b-like": {"dtype": "bfloat16", "eps": 1.5625e-07, "rope_theta": 5000000.0},
        "one-group": {"heads": 3, "kv_heads": 1, "head_dim": 64, "hidden": 192},
        "head-128": {"heads": 8, "kv_heads": 4, "head_dim": 128, "hidden": 256, "shards": 2},
        "no-bias": {"qkv_bias": False},
    },
    "glm4_hf": {
        "9b-like": {"dtype": "bfloat16", "vocab": 451},
        "32b-like": {"qkv_bias": False, "heads": 6, "kv_heads": 1, "head_dim": 128},
        "odd-heads": {"heads": 9, "kv_heads": 3, "head_dim": 64, "hidden": 160, "shards": 2},
    },
    "qwen2": {
        "7b-like": {"rope_theta": 1000000.0, "eps": 1e-6, "dtype": "bfloat16"},
        "tied": {"tied": True, "heads": 7, "kv_heads": 1, "head_dim": 32, "hidden": 224},
        "head-128": {"heads": 3, "kv_heads": 1, "head_dim": 128, "hidden": 384, "shards": 2},
        "half": {"dtype": "float16", "heads": 6, "kv_heads": 2, "head_dim": 64, "hidden": 384},
    },
    "qwen3": {
        "8b-like": {"rope_theta": 1000000.0, "eps": 1e-6, "dtype": "bfloat16"},
        "tied": {"tied": True, "heads": 4, "kv_heads": 2, "head_dim": 128, "hidden": 160},
        "odd-heads": {"heads": 5, "kv_heads": 1, "head_dim": 64, "hidden": 192, "shards": 2},
    },
    "qwen3_moe": {
        "30b-like": {"rope_theta": 1000000.0, "eps": 1e-6, "dtype": "bfloat16"},
        "one-dense": {"layers": 3, "dense_layers": 1, "chosen": 3, "normalised": False},
        "all": {"experts": 4, "chosen": 4, "expert_width": 96, "shards": 2},
    },
    "glm4_moe": {
        "air-like": {"dtype": "bfloat16", "dense_layers": 1},
        "with-head-norms": {"layers": 3, "dense_layers": 1, "qkv_bias": False, "chosen": 1},
    },
    "glm4_moe_lite": {
        "flash-like": {"dtype": "bfloat16", "dense_layers": 1},
        "wide-query": {
            "narrow": 0,
            "heads": 3,
            "kv_heads": 3,
            "head_dim": 64,
            "layers": 1,
            "chosen": 3,
        },
    },
    "qwen3_5": {
        "4b-like": {"layers": 4, "tied": True, "eps": 1e-6, "dtype": "bfloat16"},
        "with-pictures": {"layers": 5, "with_pictures": True, "key_states": 4},
        "wide-states": {"layers": 4, "value_states": 6, "state_size": 32},
    },
    "qwen3_5_moe": {
        "35b-like": {"layers": 4, "with_pictures": True, "eps": 1e-6, "dtype": "bfloat16"},
        "text": {"layers": 4, "chosen": 3, "head_dim": 64, "shards": 2},
    },
    "llama": {
        "multi-head": {"heads": 4, "kv_heads": 4, "dtype": "float16"},
        "grouped": {"heads": 6, "kv_heads": 2, "head_dim": 64, "hidden": 384, "shards": 3},
        "llama3": {"rope_theta": 500000.0, "rope_scaling": _LLAMA3_ROPE, "dtype": "bfloat16"},
        "tied": {"tied": True, "heads": 3, "kv_heads": 1, "head_dim": 128, "hidden": 384},
        "old": {"heads": 3, "kv_heads": 3, "hidden": 96, "rotary_buffers": True, "eps": 1e-6},
        "own-head-size": {"heads": 4, "kv_heads": 1, "head_dim": 64, "hidden": 192},
        "linear": {"rope_scaling": {"type": "linear", "factor": 4.0}, "vocab": 400},
        "biased": {"qkv_bias": True},
    },
    "chatglm": {
        "6b-like": {"dtype": "float16", "intermediate": 512},
        "odd-heads": {"heads": 3, "head_dim": 64, "hidden": 192, "layers": 3},
        "head-128": {"heads": 2, "head_dim": 128, "hidden": 256, "shards": 2, "vocab": 524},
    },
}


def write_checkpoint(folder: Path, family: str, *, seed: int = 0, **geometry: Any) -> Path:
    """Write ``config.json`` and the safetensors files of ``family`` into ``folder``.

    Args:
        folder: made where it is missing.
        family: a key of ``FAMILIES``.
        seed: with the tensor's name it decides the random values.
        geometry: fields of ``Geometry``; a named set of them is ``GEOMETRIES[family][name]``.

    Returns:
        The folder.

    Raises:
        KeyError: the family is unknown.
        ValueError: the heads cannot be shared out among the groups.
    """
    sizes = Geometry(**geometry)
    if sizes.heads % sizes.kv_heads and family != "chatglm":
        raise ValueError("heads must be a multiple of kv_heads")
    config, specs = FAMILIES[family](sizes)
    tensors = {spec.name: encode(values(spec, seed), sizes.dtype) for spec in specs}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")
    if sizes.shards == 1:
        write_safetensors(folder / "model.safetensors", tensors, sizes.dtype)
    else:
        _write_shards(folder, tensors, sizes)
    return folder


def values(spec: TensorSpec, seed: int) -> npt.NDArray[np.float32]:
    """Random values of a tensor, by its role; frequencies are what the rotary formula gives."""
    random = np.random.default_rng([seed, zlib.crc32(spec.name.encode())])
    if spec.role == "frequencies":
        (count,) = spec.shape
        return (spec.base ** (-np.arange(count) / count)).astype(np.float32)
    noise = random.standard_normal(spec.shape)
    if spec.role in ("norm", "difference"):
        noise = (spec.role == "norm") + 0.2 * noise
    elif spec.role == "bias":
        noise *= 0.3
    elif spec.role != "embedding":
        gain = {"linear": 1.0, "attention": 2.0, "output": 2.5, "head": 3.0}[spec.role]
        noise *= gain / np.sqrt(spec.shape[-1])
    return noise.astype(np.float32)


def encode(array: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[Any]:
    """Round to ``dtype``; bfloat16 comes as the uint16 of its bits, nearest, ties to even."""
    if dtype != "bfloat16":
        return array.astype(dtype)
    bits = np.ascontiguousarray(array).view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def write_safetensors(path: Path, tensors: dict[str, npt.NDArray[Any]], dtype: str) -> None:
    """Write one file: length of the header (u64), header (JSON, padded by spaces), then data."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": DTYPE_TAGS[dtype],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + array.nbytes],
        }
        offset += array.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for array in tensors.values():
            file.write(array.tobytes())


def _write_shards(folder: Path, tensors: dict[str, npt.NDArray[Any]], sizes: Geometry) -> None:
    names = list(tensors)
    weight_map: dict[str, str] = {}
    for number, part in enumerate(np.array_split(np.array(names, dtype=object), sizes.shards), 1):
        file = f"model-{number:05d}-of-{sizes.shards:05d}.safetensors"
        write_safetensors(folder / file, {name: tensors[name] for name in part}, sizes.dtype)
        weight_map |= dict.fromkeys(part, file)
    total = sum(array.nbytes for array in tensors.values())
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n")
