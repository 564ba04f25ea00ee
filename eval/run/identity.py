"""What an answer depends on, as plain data, and the hash of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from serving.engine import Engine
from serving.manifest import sha256_of

_PACKAGES = ("bedside", "openvino", "openvino-genai", "openvino-tokenizers")


def digest(value: Any) -> str:
    """SHA-256 in hex of plain data, whatever the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def texts_digest(texts: Iterable[str]) -> str:
    """SHA-256 in hex of texts in order."""
    total = hashlib.sha256()
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def versions() -> dict[str, str]:
    """The versions of what computes answers, of the packages that are installed."""
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def folder_digest(folder: Path) -> str:
    """One hash over the files of a model folder: weights, graph, tokenizer and settings."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return digest({path.name: sha256_of(path) for path in files})


def engine_identity(engine: Engine, settings: Mapping[str, str]) -> dict[str, Any]:
    """The model as it runs: its card, how it was opened, and the versions that run it."""
    card = engine.card
    return {
        "name": card.name,
        "source": card.source,
        "details": dict(card.details),
        "context_length": card.context_length,
        "settings": dict(settings),
        "versions": versions(),
    }
