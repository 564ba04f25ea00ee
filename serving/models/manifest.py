"""What a prepared model folder says of itself (``bedside.json``)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FILE_NAME = "bedside.json"
MODEL_FILE = "openvino_model.xml"
WEIGHTS_FILE = "openvino_model.bin"
TOKENIZER_FILE = "openvino_tokenizer.xml"
_DEFAULT_CONTEXT = 4096


class ModelInvalid(Exception):
    """A model folder is incomplete or damaged; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Facts of a prepared model.  ``files`` maps a file name to its SHA-256 in hex."""

    name: str
    source: str
    context_length: int
    source_sha256: str = ""
    licence: str = ""
    demo_only: bool = False
    architecture: str = ""
    control_tokens: tuple[str, ...] = ()
    end_token_ids: tuple[int, ...] = ()
    files: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write ``bedside.json`` into ``folder``."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=2)
        (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_prepared(folder: Path) -> bool:
    """Whether ``folder`` holds a model and its tokenizer as OpenVINO files."""
    return all((folder / name).is_file() for name in (MODEL_FILE, TOKENIZER_FILE))


def read(folder: Path) -> Manifest:
    """The manifest of ``folder``; for a folder exported elsewhere, what its own files say.

    Raises:
        ModelInvalid: the folder holds no model, or its manifest cannot be read.
    """
    if not is_prepared(folder):
        raise ModelInvalid(
            f"{folder} is not a prepared model: {MODEL_FILE} or {TOKENIZER_FILE} is missing."
        )
    path = folder / FILE_NAME
    if not path.is_file():
        return _describe(folder)
    return parse(path)


def parse(path: Path) -> Manifest:
    """One ``bedside.json``.

    Raises:
        ModelInvalid: it cannot be read.
    """
    try:
        fields: dict[str, Any] = json.loads(path.read_bytes())
        fields["control_tokens"] = tuple(fields.get("control_tokens", ()))
        fields["end_token_ids"] = tuple(fields.get("end_token_ids", ()))
        return Manifest(**fields)
    except (OSError, ValueError, TypeError) as error:
        raise ModelInvalid(f"{path} cannot be read; prepare the model again.") from error


def _describe(folder: Path) -> Manifest:
    """A manifest for a folder that another tool exported (optimum-intel, a model server)."""
    config = _json(folder / "config.json")
    config = config.get("text_config") or config
    names = config.get("architectures") or [config.get("model_type", "")]
    context = config.get("max_position_embeddings") or config.get("seq_length")
    return Manifest(
        name=folder.name,
        source=str(folder),
        context_length=context if isinstance(context, int) and context > 0 else _DEFAULT_CONTEXT,
        architecture=str(names[0]),
        control_tokens=tuple(sorted(set(_control_tokens(folder)))),
    )


def _control_tokens(folder: Path) -> Iterator[str]:
    added = _json(folder / "tokenizer_config.json").get("added_tokens_decoder")
    tokens = list(added.values()) if isinstance(added, dict) else []
    tokens += _json(folder / "tokenizer.json").get("added_tokens") or []
    for token in tokens:
        if isinstance(token, dict) and token.get("special") and token.get("content"):
            yield str(token["content"])


def _json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_bytes())
    except ValueError as error:
        raise ModelInvalid(f"{path} is not valid JSON; export the model again.") from error
    return value if isinstance(value, dict) else {}
