"""A LoRA adapter beside the graph's own projections, for being chosen while the model serves.

The graph has one matrix where a checkpoint has several (query, key and value; gate and up), with
rows in an order of its own.  The adapter's halves are brought to that form: the lower halves below
one another, and the upper ones beside one another, each where its tensor's rows are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from serving.ir.adapter import ROOT, WEIGHTS_FILE, Change, read_adapter
from serving.ir.architecture import Architecture, layer_linears
from serving.ir.base_shape import base_digest, product_name
from serving.ir.checkpoint import CheckpointError
from serving.ir.matrix import Floats, Matrix
from serving.ir.safetensors_checkpoint import read_metadata

BASE_KEY = "base_sha256"
"""Where an adapter's safetensors say which base they are of, see `serving.ir.base_shape`."""

Numbers = Literal["f32", "f16"]
_LARGEST_HALF = float(np.finfo(np.float16).max)
_KINDS = {"f32": ("F32", np.float32), "f16": ("F16", np.float16)}


@dataclass(frozen=True, slots=True)
class LowRank:
    """``down`` [r, columns] and ``up`` [rows, r]: what is added to a product is x down' up'."""

    down: Floats
    up: Floats


def beside(architecture: Architecture, folder: Path) -> dict[str, LowRank]:
    """Name of a product in the graph → what the adapter adds to it.

    Raises:
        CheckpointError: it is damaged, of another base, or does what can only be merged.
    """
    told = read_metadata(folder / WEIGHTS_FILE).get(BASE_KEY)
    if told is not None and told != base_digest(architecture):
        raise _of_another(folder, f"its base's hash is {told[:12]}…")
    learned = read_adapter(folder)
    if learned.whole:
        raise _merged_only(folder, f"it replaces the tensor {min(learned.whole)}")
    dora = [name for name, change in learned.changes.items() if change.length is not None]
    if dora:
        raise _merged_only(folder, f"its change of {min(dora)} is DoRA's")
    left = dict(learned.changes)
    found = {}
    for matrix in _projections(architecture):
        if any(name in learned.changes for name in matrix.names):
            found[product_name(matrix)] = _fused(matrix, learned.changes, folder)
            for name in matrix.names:
                left.pop(name, None)
    if left:
        name = min(left)
        if name.removesuffix(".weight").endswith(("embed_tokens", "lm_head", "word_embeddings")):
            raise _merged_only(folder, f"it changes {name}")
        raise _of_another(folder, f"the tensor {name} is no projection of the model")
    return found


def write(path: Path, products: Mapping[str, LowRank], numbers: Numbers) -> None:
    """Write the form that OpenVINO GenAI reads: ``<name>.lora_A.weight`` and ``lora_B``.

    In float32 anyway where float16 does not reach.
    """
    halves = [half for of in products.values() for half in (of.down, of.up)]
    largest = max(float(np.abs(half).max()) for half in halves)
    kind, stored = _KINDS["f32" if largest > _LARGEST_HALF else numbers]
    tensors = {}
    for name, of in products.items():
        tensors[f"{ROOT}{name}.lora_A.weight"] = of.down.astype(stored)
        tensors[f"{ROOT}{name}.lora_B.weight"] = of.up.astype(stored)
    header: dict[str, Any] = {}
    place = 0
    for name, array in tensors.items():
        header[name] = {
            "dtype": kind,
            "shape": list(array.shape),
            "data_offsets": [place, place + array.nbytes],
        }
        place += array.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for array in tensors.values():
            file.write(np.ascontiguousarray(array).tobytes())


def _projections(architecture: Architecture) -> Iterator[Matrix]:
    for index in range(architecture.layer_count):
        for linear in layer_linears(architecture.layer(index)):
            yield linear.weight


def _fused(matrix: Matrix, changes: Mapping[str, Change], folder: Path) -> LowRank:
    names = [name for name in matrix.names if name in changes]
    start, first = 0, {}
    for name in names:
        first[name] = start
        start += len(changes[name].down)
    rows, columns = matrix.shape
    up = np.zeros((rows, start), np.float32)
    top = 0
    for part in matrix.segments:
        if part.name in first:
            change = changes[part.name]
            shape = len(change.up), change.down.shape[1]
            if shape != part.shape:
                raise _of_another(
                    folder,
                    f"the tensor {part.name} has the shape {list(shape)}, and "
                    f"{list(part.shape)} in the model",
                )
            own = change.up if part.order is None else change.up[part.order]
            place = first[part.name]
            up[top : top + part.rows, place : place + own.shape[1]] = own
        top += part.rows
    down = np.concatenate([changes[name].down for name in names])
    return LowRank(down.reshape(-1, columns), up)


def _of_another(folder: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"适配器 {folder.name} 不是在这个模型上训练的。(The adapter {folder.name} was trained on "
        f"another model: {why}.)"
    )


def _merged_only(folder: Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"适配器 {folder.name} 只能合并进权重：用 bedside model convert --adapter。(The adapter "
        f"{folder.name} can only be merged, with `bedside model convert --adapter`: {why}.)"
    )
