"""A Hugging Face folder: ``config.json`` and safetensors shards.

Format: an 8-byte little-endian length, that many bytes of JSON naming each tensor's type, shape and
place, then the tensors (the safetensors specification, version 0.4).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.ir.checkpoint import (
    Checkpoint,
    CheckpointError,
    as_float32,
    files_like,
    read_config,
)
from serving.ir.matrix import Floats, Order, Stored, as_rows
from serving.ir.shard_index import promised, shards
from serving.models.manifest import sha256_of

# Types that weights come in.  numpy has no bfloat16, which is read as its 16 bits.
_TYPES: dict[str, type[np.generic]] = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "BF16": np.uint16,
}
_INDEX = "model.safetensors.index.json"
_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True)
class _Place:
    file: Path
    kind: str
    shape: tuple[int, ...]
    offset: int


class SafetensorsCheckpoint(Checkpoint):
    """One folder; shards are mapped, not loaded."""

    def __init__(self, folder: Path) -> None:
        """Read the configuration and every shard's header.

        Raises:
            CheckpointError: a shard is missing, cut short or damaged.
        """
        self.path = folder
        self.config = read_config(folder)
        self._files = _files(folder)
        self._places: dict[str, _Place] = {}
        for file in self._files:
            self._places |= _header(file)

    def names(self) -> list[str]:
        """See `Checkpoint.names`."""
        return sorted(self._places)

    def shape(self, name: str) -> tuple[int, ...]:
        """See `Checkpoint.shape`."""
        return self._place(name).shape

    def kind(self, name: str) -> str:
        """See `Checkpoint.kind`."""
        return self._place(name).kind

    def file(self, name: str) -> Path:
        """See `Checkpoint.file`."""
        return self._place(name).file

    @property
    def bytes(self) -> int:
        """See `Checkpoint.bytes`."""
        return sum(file.stat().st_size for file in self._files)

    def digests(self) -> dict[str, str]:
        """See `Checkpoint.digests`."""
        return {file.name: sha256_of(file) for file in self._files}

    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        """See `Checkpoint.stored`."""
        self.refuse_codes(name)
        place = self._place(name)
        # Mapped anew each time, so that pages already read do not count as this process's memory.
        mapped = np.memmap(
            place.file, _TYPES[place.kind], "r", offset=place.offset, shape=as_rows(place.shape)
        )
        raw = np.asarray(mapped if rows is None else mapped[rows])
        return raw if place.kind == "F16" else as_float32(raw, place.kind)

    def integers(self, name: str) -> NDArray[np.int32]:
        """A tensor of 32-bit integers: codes that are packed in words.

        Raises:
            CheckpointError: there is no such tensor, or it holds something else.
        """
        place = self._place(name)
        if place.kind != "I32":
            raise CheckpointError(
                f"{place.file}: the tensor {name} is of type {place.kind}, not I32."
            )
        return np.memmap(place.file, np.int32, "r", offset=place.offset, shape=place.shape)

    def refuse_codes(self, name: str) -> None:
        """See `Checkpoint.refuse_codes`."""
        place = self._place(name)
        if place.kind not in _TYPES:
            raise CheckpointError(
                f"{place.file}: the tensor {name} is of type {place.kind}, which is not a plain "
                f"weight (known: {', '.join(_TYPES)}). Use the unquantised checkpoint."
            )

    def _place(self, name: str) -> _Place:
        try:
            return self._places[name]
        except KeyError as error:
            raise CheckpointError(self._missing(name)) from error

    def _missing(self, name: str) -> str:
        index = self.path / _INDEX
        file = promised(index).get(name) if index.is_file() else None
        if file is not None:
            return (
                f"{file}: the tensor {name} is missing, though {_INDEX} says that it is there. "
                "Fetch this file again."
            )
        return (
            f"{self.path}: the tensor {name} is missing (a shard that was not downloaded, or a "
            "config.json of another model)."
        )


def read_tensors(file: Path, ending: str = "") -> dict[str, Floats]:
    """All tensors of one small file, or those whose names end so, float32.

    Raises:
        CheckpointError: it cannot be read, is damaged, or holds what is no plain weight.
    """
    found = {}
    for name, place in _header(file).items():
        if not name.endswith(ending):
            continue
        if place.kind not in _TYPES:
            raise CheckpointError(f"{file}: the tensor {name} is of type {place.kind}.")
        raw = np.memmap(file, _TYPES[place.kind], "r", offset=place.offset, shape=place.shape)
        found[name] = as_float32(np.asarray(raw), place.kind).astype(np.float32)
    return found


def read_metadata(file: Path) -> dict[str, str]:
    """What a file says of itself, as its writer chose.

    Raises:
        CheckpointError: it cannot be read, or is damaged.
    """
    told = _parsed(file)[0].get("__metadata__")
    return {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}


def _files(folder: Path) -> list[Path]:
    index = folder / _INDEX
    if not index.is_file():
        return files_like(folder, "*.safetensors")
    return shards(index)


def _header(file: Path) -> dict[str, _Place]:
    header, start, size = _parsed(file)
    return {
        name: _place(file, name, entry, start, size)
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _parsed(file: Path) -> tuple[dict[str, Any], int, int]:
    """The header of a file, where its tensors begin, and its size."""
    try:
        size = file.stat().st_size
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= min(size - 8, _LONGEST_HEADER):
                raise CheckpointError(f"{file} is cut short or is no safetensors file.")
            header = json.loads(stream.read(length))
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{file} is damaged: its header cannot be read.") from error
    if not isinstance(header, dict):
        raise CheckpointError(f"{file} is damaged: its header cannot be read.")
    return header, 8 + length, size


def _place(file: Path, name: str, entry: Any, start: int, size: int) -> _Place:
    try:
        kind, shape = str(entry["dtype"]), tuple(int(count) for count in entry["shape"])
        begin, end = (int(place) for place in entry["data_offsets"])
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"{file} is damaged at the tensor {name}.") from error
    if not 0 <= begin <= end or start + end > size:
        raise CheckpointError(
            f"{file} is cut short: the tensor {name} should end at byte {start + end}, the file "
            f"has {size}. Fetch it again."
        )
    width = np.dtype(_TYPES[kind]).itemsize if kind in _TYPES else 4 * (kind == "I32")
    if width and math.prod(shape) * width != end - begin:
        raise CheckpointError(f"{file} is damaged: the tensor {name} has not the size it states.")
    return _Place(file, kind, shape, start + begin)
