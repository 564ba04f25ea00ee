"""A PyTorch pickle rewritten as safetensors, once, reading weights only.

``torch.load(weights_only=True)`` builds tensors and plain containers and refuses everything else,
so nothing that a file's author put into it is run.  PyTorch is needed here and nowhere else.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from serving.ir.checkpoint import CheckpointError, files_like
from serving.ir.shard_index import shards
from serving.ir.workspace import workspace

Progress = Callable[[int, int, str], None]

FILE = "model.safetensors"
_INDEX = "pytorch_model.bin.index.json"
_PATTERNS = ("pytorch_model*.bin", "*.pt", "*.pth")
# What a checkpoint's folder holds beside its weights, and conversion needs.
_COMPANIONS = ("*.json", "*.jinja", "*.model", "*.tiktoken", "LICENSE*")
# PyTorch's name of a type → that of safetensors.
_TYPES = {
    "torch.float64": "F64",
    "torch.float32": "F32",
    "torch.float16": "F16",
    "torch.bfloat16": "BF16",
    "torch.int64": "I64",
    "torch.int32": "I32",
    "torch.int16": "I16",
    "torch.int8": "I8",
    "torch.uint8": "U8",
    "torch.bool": "BOOL",
}
_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    file: Path
    kind: str
    shape: tuple[int, ...]
    size: int


def rewrite(source: Path, out: Path | None = None, progress: Progress | None = None) -> Path:
    """Write ``model.safetensors`` with every tensor of ``source``; the pickle stays.

    ``source``: a folder with ``pytorch_model*.bin`` (or ``.pt``, ``.pth``), or one such file.
    ``out``: the folder to write to (None: where the pickle is); the configuration and tokenizer go
    there too.  One file of the pickle is open at a time, and mapped where its format allows.

    Raises:
        CheckpointError: PyTorch is missing, a file is missing, damaged or holds anything but
            tensors, the disk is full, or the target is there already.
    """
    torch = _torch(source)
    files = _files(source)
    folder = out or files[0].parent
    target = folder / FILE
    if target.exists():
        raise CheckpointError(f"{target} is there already; remove it, or name another folder.")
    report = progress or (lambda done, total, what: None)
    try:
        with workspace(target) as work:
            entries = [entry for file in files for entry in _entries(torch, file)]
            _check_names(entries)
            with (work / FILE).open("wb", buffering=0) as stream:
                _write(torch, entries, stream, report)
                os.fsync(stream.fileno())
            if out is not None:
                _copy_companions(files[0].parent, folder)
            (work / FILE).rename(target)
    except OSError as error:
        raise CheckpointError(f"{target} cannot be written: {error.strerror or error}.") from error
    return target


def _torch(source: Path) -> Any:
    try:
        import torch
    except ImportError as error:
        raise CheckpointError(
            f"PyTorch is needed to read {source}: pip install 'bedside[train]' (only to rewrite; "
            "converting and serving do without it)."
        ) from error
    return torch


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    index = source / _INDEX
    if index.is_file():
        files = shards(index)
        if files:
            return files
    for pattern in _PATTERNS:
        if found := files_like(source, pattern):
            return found
    raise CheckpointError(f"{source} holds no PyTorch checkpoint ({', '.join(_PATTERNS)}).")


def _tensors(torch: Any, file: Path) -> dict[str, Any]:
    """The tensors of one file by name."""
    try:
        try:
            loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=True)
        except (RuntimeError, ValueError):
            # The format from before 2020 cannot be mapped.
            loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        # PyTorch raises its unpickler's error, and others by what is damaged.
        raise CheckpointError(
            f"{file} is damaged, or holds more than weights; it was not read. Use a checkpoint "
            "in safetensors."
        ) from error
    if not isinstance(loaded, dict):
        raise CheckpointError(f"{file} holds a {type(loaded).__name__}, not tensors by name.")
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise CheckpointError(
                f"{file}: the entry {name} is a {type(tensor).__name__}, not a tensor."
            )
        if str(tensor.dtype) not in _TYPES or tensor.layout != torch.strided:
            raise CheckpointError(
                f"{file}: the tensor {name} is a {tensor.dtype} of a kind that cannot be written."
            )
    return loaded


def _entries(torch: Any, file: Path) -> Iterator[_Entry]:
    for name, tensor in _tensors(torch, file).items():
        size = tensor.numel() * tensor.element_size()
        yield _Entry(name, file, _TYPES[str(tensor.dtype)], tuple(tensor.shape), size)


def _check_names(entries: list[_Entry]) -> None:
    seen: dict[str, Path] = {}
    for entry in entries:
        if entry.name in seen:
            raise CheckpointError(
                f"{entry.file}: the tensor {entry.name} is in {seen[entry.name]} too."
            )
        seen[entry.name] = entry.file
    if not entries:
        raise CheckpointError("The checkpoint holds no tensor.")


def _write(torch: Any, entries: list[_Entry], stream: BinaryIO, report: Progress) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for entry in entries:
        header[entry.name] = {
            "dtype": entry.kind,
            "shape": list(entry.shape),
            "data_offsets": [offset, offset + entry.size],
        }
        offset += entry.size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    _put(stream, memoryview(len(text).to_bytes(8, "little") + text))
    written, file, tensors = 0, None, {}
    for entry in entries:
        if entry.file != file:
            file, tensors = entry.file, _tensors(torch, entry.file)
        raw = tensors.pop(entry.name).detach().contiguous().reshape(-1).view(torch.uint8)
        _put(stream, memoryview(raw.numpy()))
        written += entry.size
        report(written, offset, "rewriting")


def _put(stream: BinaryIO, data: memoryview) -> None:
    while data:
        data = data[stream.write(data) :]


def _copy_companions(source: Path, folder: Path) -> None:
    for pattern in _COMPANIONS:
        for path in files_like(source, pattern):
            if path.name != _INDEX and not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)
