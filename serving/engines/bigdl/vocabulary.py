"""A checkpoint's tokenizer as OpenVINO files, converted once."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from serving.engine import EngineUnavailable
from serving.engines.bigdl.source import Source
from serving.ir.checkpoint import files_like
from serving.ir.families import tokenizer_of
from serving.ir.tokenizer import TokenizerError, convert_tokenizer
from serving.models import manifest
from serving.models.manifest import Manifest, ModelInvalid

FOLDER = "tokenizer"
_FILES = ("*.json", "tokenizer*", "*.jinja")


def prepared(source: Source, folder: Path) -> tuple[Manifest, Any]:
    """What is known of the checkpoint's tokens, and GenAI's tokenizer.

    ``folder``: where the folder `FOLDER` is, or is made; it is made again where the checkpoint's
    tokenizer has changed.

    Raises:
        EngineUnavailable: the checkpoint has no tokenizer that can be converted.
    """
    import openvino_genai

    place = folder / FOLDER
    wanted = _fingerprint(source.folder)
    try:
        facts = manifest.parse(place / manifest.FILE_NAME)
        if facts.source_sha256 != wanted:
            facts = _convert(source, place, wanted)
    except ModelInvalid:
        facts = _convert(source, place, wanted)
    try:
        return facts, openvino_genai.Tokenizer(str(place))
    except RuntimeError as error:
        raise EngineUnavailable(
            f"The tokenizer in {place} cannot be loaded; delete that folder and try again."
        ) from error


def _convert(source: Source, place: Path, fingerprint: str) -> Manifest:
    work = place.with_suffix(".draft")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        family = tokenizer_of(source.family)
        facts = convert_tokenizer(source.folder, work, family, source.context_length)
        made = Manifest(
            name=source.folder.name,
            source=str(source.folder),
            context_length=source.context_length,
            source_sha256=fingerprint,
            control_tokens=facts.control_tokens,
            end_token_ids=facts.end_token_ids,
        )
        made.write(work)
        shutil.rmtree(place, ignore_errors=True)
        work.rename(place)
    except TokenizerError as error:
        raise EngineUnavailable(str(error)) from error
    except OSError as error:
        raise EngineUnavailable(f"{place} cannot be written: {error.strerror}.") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return made


def _fingerprint(folder: Path) -> str:
    files = sorted({file for pattern in _FILES for file in files_like(folder, pattern)})
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name} {file.stat().st_size} {file.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()
