"""The files of a configured model: where they lie, and their one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assistant.engine_settings import EngineSettings
from serving.models.adapters import AdapterInvalid, AdapterStore
from serving.models.catalog import CatalogError
from serving.models.manifest import ModelInvalid, sha256_of
from serving.models.store import ModelStore

Signature = tuple[tuple[str, int, int], ...]


class NotIdentified(Exception):
    """It cannot be told which weights an engine or a run has; the message says why."""


def model_folder(chosen: EngineSettings, home: Path) -> Path:
    """Where the files of a configured model lie.

    Raises:
        NotIdentified: they are not on this machine, or not there.
    """
    if chosen.kind not in ("openvino", "bigdl"):
        raise NotIdentified(
            f"an engine of kind {chosen.kind!r} has no weights on this machine whose hash an "
            "approval could hold to"
        )
    folder = Path(chosen.model)
    if folder.is_dir():
        return folder
    try:
        return ModelStore(home).path(chosen.model)
    except (CatalogError, ModelInvalid) as error:
        raise NotIdentified(str(error)) from error


def model_folders(chosen: EngineSettings, home: Path) -> list[Path]:
    """`model_folder`, and behind it those of its adapter and learned prefix, where it has any.

    Raises:
        NotIdentified: they are not on this machine, or not there.
    """
    folders = [model_folder(chosen, home)]
    if chosen.adapter:
        try:
            folders.append(AdapterStore(home).path(chosen.model, chosen.adapter))
        except AdapterInvalid as error:
            raise NotIdentified(str(error)) from error
    if chosen.prefix:
        folders.append(Path(chosen.prefix))
    return folders


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
