"""What an answer depends on, as plain data, and the hash of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from assistant.approval.model_files import plain_digest
from serving.engine import Engine

_PACKAGES = ("bedside", "openvino", "openvino-genai", "openvino-tokenizers")


def digest(value: Any) -> str:
    """SHA-256 in hex of plain data, whatever the order of its keys."""
    return plain_digest(value)


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
