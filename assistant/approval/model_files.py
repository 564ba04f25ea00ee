"""The files of a model folder as one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from serving.models.manifest import sha256_of

Signature = tuple[tuple[str, int, int], ...]


def folder_signature(folder: Path) -> Signature:
    """Name, size and time of change of each file: while these stay, the hash is not made anew."""
    found = ((path.name, path.stat()) for path in _files(folder))
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


def folder_digest(folder: Path) -> str:
    """One SHA-256 over the files of a model folder: weights, graph, tokenizer and settings."""
    return plain_digest({path.name: sha256_of(path) for path in _files(folder)})


def signature_of(folders: Sequence[Path]) -> Signature:
    """`folder_signature` of a base and its adapter."""
    return tuple(one for folder in folders for one in folder_signature(folder))


def digest_of(folders: Sequence[Path], digest: Callable[[Path], str] = folder_digest) -> str:
    """`folder_digest`; of a base with its adapter one hash over both.

    ``digest`` may know a folder's hash already.
    """
    digests = [digest(folder) for folder in folders]
    return digests[0] if len(digests) == 1 else plain_digest(digests)


def plain_digest(value: Any) -> str:
    """SHA-256 in hex of plain data, whatever the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())
