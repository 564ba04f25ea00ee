"""LoRA adapters of random weights, as PEFT writes them, and what they make of a checkpoint."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from reference_layers import Array
from reference_weights import read_weights
from tiny_checkpoint import write_safetensors

ROOT = "base_model.model."


def drawn(name: str, *shape: int) -> Array:
    """Random numbers that the name decides."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    return random.standard_normal(shape).astype(np.float32)


def write_adapter(
    folder: Path,
    base: Path,
    modules: Sequence[str],
    *,
    rank: int = 4,
    whole: Sequence[str] = (),
    lengths: bool = False,
    **settings: Any,
) -> Path:
    """An adapter of ``modules`` of the checkpoint ``base``; ``whole`` tensors are trained too."""
    weights, tensors = read_weights(base), {}
    for module in modules:
        rows, columns = weights[f"{module}.weight"].shape
        if "embed" in module:
            tensors[f"{ROOT}{module}.lora_embedding_A"] = drawn(module + "A", rank, rows)
            tensors[f"{ROOT}{module}.lora_embedding_B"] = drawn(module + "B", columns, rank) / 9
            continue
        tensors[f"{ROOT}{module}.lora_A.weight"] = drawn(module + "A", rank, columns) / 9
        tensors[f"{ROOT}{module}.lora_B.weight"] = drawn(module + "B", rows, rank)
        if lengths:
            name = f"{ROOT}{module}.lora_magnitude_vector.weight"
            tensors[name] = np.abs(drawn(module + "m", rows)) + 0.5
    for name in whole:
        tensors[ROOT + name] = drawn(name, *weights[name].shape) / 4
    config = {"peft_type": "LORA", "r": rank, "lora_alpha": 8, "target_modules": list(modules)}
    config |= {"use_dora": lengths, "fan_in_fan_out": False, **settings}
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps(config))
    write_safetensors(folder / "adapter_model.safetensors", tensors, "float32")
    return folder
