"""Reads a checkpoint folder of safetensors files into float64 arrays, with numpy alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from reference_layers import Array

_STORED = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


def read_weights(folder: Path) -> dict[str, Array]:
    """All tensors of the folder by name; of a sharded one those that its index names.

    Raises:
        KeyError: the index names a tensor that its file lacks, or a dtype is unknown.
    """
    index = folder / "model.safetensors.index.json"
    if not index.exists():
        return dict(_read_file(folder / "model.safetensors"))
    weight_map: dict[str, str] = json.loads(index.read_text())["weight_map"]
    files = {file: dict(_read_file(folder / file)) for file in set(weight_map.values())}
    return {name: files[file][name] for name, file in weight_map.items()}


def _read_file(path: Path) -> Iterator[tuple[str, Array]]:
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        stored = np.frombuffer(content[start + first : start + last], _STORED[entry["dtype"]])
        if entry["dtype"] == "BF16":  # The upper half of a float32.
            stored = (stored.astype(np.uint32) << 16).view(np.float32)
        yield name, stored.astype(np.float64).reshape(entry["shape"])
