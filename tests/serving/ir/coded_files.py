"""A checkpoint with projections as GPTQ's or AWQ's codes, and the numbers that they stand for."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from reference_layers import Array
from reference_weights import read_weights

GROUP = 32
_AWQ = (0, 2, 4, 6, 1, 3, 5, 7)
_TAGS = {"float32": "F32", "float16": "F16", "int32": "I32"}


def write_coded(
    folder: Path, base: Path, method: str, *, middle: bool = False, **more: Any
) -> dict[str, Array]:
    """Write ``base`` to ``folder`` with random codes for every projection of its layers.

    ``middle``: all zero points are 8, as in a symmetric checkpoint.

    Returns:
        The tensors of the checkpoint that the codes stand for, float64.
    """
    tensors: dict[str, np.ndarray[Any, Any]] = {}
    numbers: dict[str, Array] = {}
    for name, array in read_weights(base).items():
        if ".layers." not in name or array.ndim != 2 or name.endswith(".mlp.gate.weight"):
            tensors[name], numbers[name] = array.astype(np.float32), array
            continue
        random = np.random.default_rng(zlib.crc32(name.encode()))
        rows, columns = array.shape
        groups = columns // GROUP
        codes = random.integers(0, 16, (rows, columns), dtype=np.uint32)
        zeros = np.full((rows, groups), 8) if middle else random.integers(1, 16, (rows, groups))
        spread = np.sqrt(columns) * 4
        scales = (random.random((rows, groups)) * 0.5 + 0.75).astype(np.float16) / np.float16(
            spread
        )
        stem = name.removesuffix(".weight")
        tensors |= {
            f"{stem}.{part}": kept for part, kept in _stored(method, codes, zeros, scales).items()
        }
        apart = codes.reshape(rows, groups, GROUP).astype(np.float64) - zeros[:, :, None]
        numbers[name] = (apart * scales.astype(np.float64)[:, :, None]).reshape(rows, columns)
    folder.mkdir(parents=True)
    config = json.loads((base / "config.json").read_text())
    config["quantization_config"] = {"quant_method": method, "bits": 4, "group_size": GROUP, **more}
    (folder / "config.json").write_text(json.dumps(config))
    for companion in base.glob("tokenizer*"):
        (folder / companion.name).write_bytes(companion.read_bytes())
    _write(folder / "model.safetensors", tensors)
    return numbers


def _stored(method: str, codes: Any, zeros: Any, scales: Any) -> dict[str, np.ndarray[Any, Any]]:
    columns = codes.shape[1]
    if method == "awq":
        words, points = _packed(codes.T, 1, _AWQ), _packed(zeros.T, 1, _AWQ)
        return {"qweight": words, "qzeros": points, "scales": np.ascontiguousarray(scales.T)}
    plain = tuple(range(8))
    return {
        "qweight": _packed(codes.T, 0, plain),
        # The first format keeps one less than it means.
        "qzeros": _packed(zeros.T - 1, 1, plain),
        "scales": np.ascontiguousarray(scales.T),
        "g_idx": (np.arange(columns) // GROUP).astype(np.int32),
    }


def _packed(values: Any, axis: int, order: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Eight along ``axis`` in a word; ``order[n]`` is the one in nibble n."""
    moved = np.moveaxis(np.asarray(values, np.uint32), axis, -1)
    eight = moved.reshape(*moved.shape[:-1], -1, 8)
    words = np.zeros(eight.shape[:-1], np.uint32)
    for nibble, place in enumerate(order):
        words |= eight[..., place] << np.uint32(4 * nibble)
    return np.ascontiguousarray(np.moveaxis(words, -1, axis)).view(np.int32)


def _write(path: Path, tensors: dict[str, np.ndarray[Any, Any]]) -> None:
    header, offset = {}, 0
    for name, array in tensors.items():
        end = offset + array.nbytes
        tag = _TAGS[str(array.dtype)]
        header[name] = {"dtype": tag, "shape": list(array.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    body = b"".join(np.ascontiguousarray(array).tobytes() for array in tensors.values())
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
