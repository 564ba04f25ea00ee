"""A checkpoint: named tensors, read lazily, and the configuration beside them."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from serving.ir.matrix import Codes, Floats, Order, Stored


class CheckpointError(Exception):
    """A checkpoint cannot be read; the message names the file and, where it can, the tensor."""


class Checkpoint(ABC):
    """Tensors by name.  Nothing is read before it is asked for.

    ``metadata``: what a GGUF file says besides, its vocabulary too; None for a folder.
    """

    path: Path
    config: Mapping[str, Any]
    metadata: Mapping[str, Any] | None = None

    @abstractmethod
    def names(self) -> list[str]:
        """Names of all tensors."""

    @abstractmethod
    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of one tensor.

        Raises:
            CheckpointError: there is no such tensor.
        """

    @abstractmethod
    def file(self, name: str) -> Path:
        """The file that one tensor lies in.  Raises as `shape` does."""

    @abstractmethod
    def kind(self, name: str) -> str:
        """How one tensor is stored (``F16``, ``BF16``, ``Q4_K``…).  Raises as `shape` does."""

    @abstractmethod
    def stored(self, name: str, rows: slice | Order | None = None) -> Stored:
        """One tensor, or the rows asked for, as float32, or as float16 where that is quicker.

        Raises:
            CheckpointError: there is no such tensor, or its file is cut short.
        """

    def codes(self, name: str) -> Codes | None:
        """The codes that one tensor is stored as, where they can be kept; None elsewhere."""
        return None

    def read(self, name: str, rows: slice | Order | None = None) -> Floats:
        """One tensor, or the rows asked for, as float32.  Raises as `stored` does."""
        return self.stored(name, rows).astype(np.float32, copy=False)

    @abstractmethod
    def digests(self) -> dict[str, str]:
        """SHA-256 of every file that the tensors lie in."""

    @property
    @abstractmethod
    def bytes(self) -> int:
        """Size of the tensors as stored."""

    def refuse_quantised(self) -> None:
        """Raise `CheckpointError` where its configuration says that weights are codes."""
        settings, method = self.config.get("quantization_config"), ""
        if isinstance(settings, dict) and settings:
            method = str(settings.get("quant_method", "quantization_config"))
        elif self.config.get("quantization_bit"):
            method = "quantization_bit"
        if method:
            raise CheckpointError(
                f"{self.path} is quantised already ({method}); convert the checkpoint that it was "
                "made from, in float16 or bfloat16."
            )

    @abstractmethod
    def refuse_codes(self, name: str) -> None:
        """Raise `CheckpointError` where one tensor is stored in a type that cannot be read."""

    def expect(self, name: str, shape: tuple[int, ...]) -> None:
        """Raise `CheckpointError` unless the tensor is there, has this shape and can be read."""
        self.refuse_codes(name)
        found = self.shape(name)
        if found != shape:
            raise CheckpointError(
                f"{self.file(name)}: the tensor {name} has the shape {list(found)}, but "
                f"config.json asks for {list(shape)}. The files do not belong together, or are "
                "damaged."
            )


def files_like(folder: Path, pattern: str) -> list[Path]:
    """The files of ``folder`` whose names match, sorted.

    A name that begins with ``._`` is left out: macOS keeps a file's attributes in such a file
    beside it where the disk (exFAT, a network share) has no place for them.
    """
    return sorted(file for file in folder.glob(pattern) if not file.name.startswith("._"))


def read_config(folder: Path) -> dict[str, Any]:
    """``config.json`` of a folder.

    Raises:
        CheckpointError: it is missing or no JSON object.
    """
    path = folder / "config.json"
    if not path.exists() and (folder / "adapter_config.json").is_file():
        raise CheckpointError(
            f"{folder} is an adapter (LoRA), not a whole model. Convert the model that it was "
            "trained from, with --adapter and this folder."
        )
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise CheckpointError(
            f"{path} is missing; it comes with the model and says how it is built."
        ) from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        raise CheckpointError(
            f"{path}, line {error.lineno}, is not valid JSON: {error.msg}."
        ) from error
    except ValueError as error:
        raise CheckpointError(f"{path} is not valid JSON: it is no UTF-8 text.") from error
    if not isinstance(value, dict):
        raise CheckpointError(f"{path} is not a JSON object.")
    return value


def as_float32(raw: np.ndarray[Any, Any], kind: str) -> Floats:
    """Stored numbers as float32; ``kind`` is the safetensors name of their type (BF16, F16…)."""
    if kind == "BF16":
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32, copy=False)
