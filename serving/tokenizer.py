"""The tokenizer of a prepared model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from serving.engine import EngineUnavailable
from serving.models import manifest
from serving.models.manifest import Manifest


def load(folder: Path) -> tuple[Manifest, Any]:
    """The folder's manifest and its GenAI tokenizer.

    Raises:
        EngineUnavailable: the folder is no prepared model, or its tokenizer cannot be loaded.
    """
    import openvino_genai

    try:
        return manifest.read(folder), openvino_genai.Tokenizer(str(folder))
    except manifest.ModelInvalid as error:
        raise EngineUnavailable(str(error)) from error
    except RuntimeError as error:
        raise EngineUnavailable(f"The tokenizer in {folder} cannot be loaded.") from error


def encode(tokenizer: Any, text: str) -> Any:
    """The token ids of ``text``, a tensor of shape (1, tokens), without added special tokens."""
    return tokenizer.encode(well_formed(text), add_special_tokens=False).input_ids


def well_formed(text: str) -> str:
    """Text without lone surrogates, which JSON can carry but UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")
