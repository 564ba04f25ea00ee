"""The files of a model folder as one hash."""

from __future__ import annotations

import hashlib
import json
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


def plain_digest(value: Any) -> str:
    """SHA-256 in hex of plain data, whatever the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file())
