"""The weights of a TF.js layers model, as its ``weightsManifest`` lists them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.vision.problem import VisionProblem

Floats = NDArray[np.float32]

_TYPES = {"float32": "<f4", "float16": "<f2", "int32": "<i4", "uint8": "u1", "uint16": "<u2"}
_MAX_BYTES = 2 * 1024**3


def read(folder: Path, groups: Sequence[Mapping[str, Any]]) -> dict[str, Floats]:
    """Every tensor by its name, as float32.

    Raises:
        VisionProblem: a file is missing or too short, or a tensor is of an unknown type.
    """
    found: dict[str, Floats] = {}
    for group in groups:
        data = b"".join(_file(folder, str(name)) for name in group.get("paths", ()))
        place = 0
        for entry in group.get("weights", ()):
            array, place = _tensor(data, place, entry)
            found[str(entry["name"])] = array
        if place != len(data):
            raise _length(f"{len(data)} ≠ {place}")
    return found


def _file(folder: Path, name: str) -> bytes:
    # A name is of a file beside model.json, never a way out of the folder.
    path = folder / PurePosixPath(name).name
    if not path.is_file():
        raise VisionProblem(
            f"缺少权重文件 {path.name}，请把它放在 model.json 旁边。",
            f"The weights {path.name} are missing; put the file beside model.json.",
        )
    if path.stat().st_size > _MAX_BYTES:
        raise VisionProblem("权重文件过大。", "A file of weights is too large.")
    return path.read_bytes()


def _tensor(data: bytes, place: int, entry: Mapping[str, Any]) -> tuple[Floats, int]:
    packed = entry.get("quantization") or {}
    kind = _TYPES.get(str(packed.get("dtype") or entry.get("dtype")))
    if kind is None:
        raise VisionProblem(
            "权重的数据类型不受支持，请以 float32 重新导出。",
            "The weights are of a type that is not known; export them as float32.",
        )
    shape = tuple(int(size) for size in entry.get("shape", ()))
    count = int(np.prod(shape, dtype=np.int64))
    end = place + count * np.dtype(kind).itemsize
    if count < 0 or end > len(data):
        raise _length(f"{len(data)} < {end}")
    array = np.frombuffer(data, kind, count, place).reshape(shape).astype(np.float32)
    if "scale" in packed:
        array = array * np.float32(packed["scale"]) + np.float32(packed.get("min", 0))
    if not np.isfinite(array).all():
        raise VisionProblem(
            "权重含 NaN 或无穷大，文件已损坏。", "The weights hold NaN; the file is broken."
        )
    return array, end


def _length(said: str) -> VisionProblem:
    return VisionProblem(
        f"权重文件长度与 model.json 不符（{said} 字节），请重新下载。",
        f"The file of weights is not as long as model.json says ({said} bytes); get it again.",
    )
