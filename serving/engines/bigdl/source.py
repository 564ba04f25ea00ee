"""A checkpoint as the low-bit process is to read it: which rows of which file make which tensor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.engine import EngineUnavailable
from serving.engines.bigdl.glm_layout import LayoutUnsupported, Piece, native_config, native_tensors
from serving.ir import families
from serving.ir.checkpoint import CheckpointError
from serving.ir.safetensors_checkpoint import SafetensorsCheckpoint

NATIVE = frozenset({"glm", "glm4", "llama", "qwen2", "qwen3"})
MAPPED = frozenset({"chatglm2", "chatglm3", "glm4-chatglm"})
_DEFAULT_CONTEXT = 2048
_EMBEDDING, _HEAD = "model.embed_tokens.weight", "lm_head.weight"
# Fields that would name code to run, or say what this process decides.
_DROPPED = ("auto_map", "architectures", "torch_dtype", "dtype", "transformers_version")


@dataclass(frozen=True, slots=True)
class Source:
    """A checkpoint folder.

    ``config`` is in Transformers' own words; ``tensors`` maps its tensor names to rows of the
    checkpoint's; ``files`` maps a tensor of the checkpoint to the file that holds it.
    """

    folder: Path
    family: str
    config: Mapping[str, Any]
    tensors: Mapping[str, Piece]
    files: Mapping[str, Path]
    context_length: int
    end_token_ids: tuple[int, ...]

    @property
    def fingerprint(self) -> str:
        """Changes when the checkpoint does (file sizes and times, not contents)."""
        files = sorted(set(self.files.values()))
        facts = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in files]
        text = json.dumps([facts, self.config], sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def order(self) -> dict[str, Any]:
        """What `serving.engines.bigdl.lowbit` needs to know of it."""
        return {
            "config": dict(self.config),
            "tensors": {
                name: [str(self.files[piece.tensor]), piece.tensor, piece.start, piece.stop]
                for name, piece in self.tensors.items()
            },
        }


def open_source(folder: Path) -> Source:
    """Read the configuration and the headers of the safetensors files; no weights.

    Raises:
        EngineUnavailable: it is no checkpoint, is damaged, or of an architecture that this engine
            does not run; the message says which.
    """
    if not folder.is_dir():
        raise EngineUnavailable(
            f"{folder} is no folder; the BigDL-LLM engine takes one with config.json and "
            "safetensors files."
        )
    try:
        checkpoint = SafetensorsCheckpoint(folder)
        family = families.name_of(checkpoint.config)
        if family is None or family not in NATIVE | MAPPED:
            kind = family or checkpoint.config.get("model_type")
            known = ", ".join(sorted(NATIVE | MAPPED))
            raise EngineUnavailable(
                f"{folder}: the BigDL-LLM engine does not run {kind} (it runs {known}). "
                "`bedside model convert` makes an OpenVINO model of it."
            )
        if checkpoint.config.get("quantization_config"):
            raise EngineUnavailable(f"{folder} is quantised already; use the plain checkpoint.")
        config, tensors = _layout(checkpoint, family)
        files = {piece.tensor: checkpoint.file(piece.tensor) for piece in tensors.values()}
        for tensor in files:
            checkpoint.refuse_codes(tensor)
    except (CheckpointError, LayoutUnsupported) as error:
        raise EngineUnavailable(str(error)) from error
    except KeyError as error:
        raise EngineUnavailable(
            f"{folder}/config.json lacks the field {error.args[0]!r}."
        ) from error
    return Source(
        folder=folder,
        family=family,
        config=_with_older_rope(config),
        tensors=tensors,
        files=files,
        context_length=int(config.get("max_position_embeddings") or _DEFAULT_CONTEXT),
        end_token_ids=_end_ids(config, folder / "generation_config.json"),
    )


def _layout(
    checkpoint: SafetensorsCheckpoint, family: str
) -> tuple[dict[str, Any], dict[str, Piece]]:
    if family in MAPPED:
        return native_config(checkpoint.config, family), native_tensors(checkpoint.config)
    config = {key: value for key, value in checkpoint.config.items() if key not in _DROPPED}
    tensors = {name: Piece(name) for name in checkpoint.names()}
    if config.get("tie_word_embeddings"):
        tensors[_HEAD] = Piece(_EMBEDDING)
    # The head is quantised and the embedding is not, so they are never one tensor here.
    return config | {"tie_word_embeddings": False}, tensors


def _with_older_rope(config: Mapping[str, Any]) -> dict[str, Any]:
    """The rotation also in the fields that Transformers 4 reads, where only 5's is there."""
    rope = config.get("rope_parameters")
    if not isinstance(rope, dict):
        return dict(config)
    plain = rope.get("rope_type", "default") == "default"
    older = {"rope_scaling": None if plain else rope}
    older |= {key: rope[key] for key in ("rope_theta", "partial_rotary_factor") if key in rope}
    return {**older, **config}


def _end_ids(config: Mapping[str, Any], generation: Path) -> tuple[int, ...]:
    ids = [config.get("eos_token_id")]
    if generation.is_file():
        try:
            ids.append(json.loads(generation.read_bytes()).get("eos_token_id"))
        except (ValueError, AttributeError) as error:
            raise EngineUnavailable(f"{generation} is not valid JSON.") from error
    found: set[int] = set()
    for value in ids:
        values = value if isinstance(value, list) else [value]
        found |= {item for item in values if isinstance(item, int)}
    return tuple(sorted(found))
