"""What a checkpoint or a converted folder is, without converting or loading it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, Literal

from serving.ir import families, footprint, ir_facts
from serving.ir.architecture import Architecture, ArchitectureUnknown, Mixture
from serving.ir.checkpoint import Checkpoint, CheckpointError
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.description import describe
from serving.ir.footprint import CacheShape
from serving.ir.formats import Precision
from serving.ir.gguf_tokens import tokenizer_fields
from serving.ir.sentencepiece_model import parse as parse_sentencepiece
from serving.ir.token_set import TokenizerError
from serving.ir.tokenizer import read_tokens
from serving.models import manifest

PRECISIONS = {
    "int4": Precision(),
    "int8": Precision("int8"),
    "bf16": Precision("bf16"),
    "fp16": Precision("fp16"),
    "fp32": Precision("fp32"),
}
_TOKENIZER_FILES = ("tokenizer.model", "ice_text.model", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class Inspection:
    """Facts of one model.

    ``tensor_types``: how many numbers are stored in each type.  ``weight_bytes``: size of the
    weights in each precision, or as they are.  ``cache_bytes_per_1k``: keys and values of 1,000
    tokens of context, by the type that they are kept in.
    ``problems``: what stands in the way of using it, in sentences.
    """

    path: str
    layout: Literal["safetensors", "gguf", "openvino"]
    family: str
    parameters: int
    context_length: int
    tokenizer: str
    stored_bytes: int
    geometry: dict[str, int] = field(default_factory=dict)
    tensor_types: dict[str, int] = field(default_factory=dict)
    weight_bytes: dict[str, int] = field(default_factory=dict)
    cache_bytes_per_1k: dict[str, int] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def inspect(path: Path, family: str = "") -> Inspection:
    """Look at a Hugging Face folder, a GGUF file, or an OpenVINO folder.

    Raises:
        CheckpointError: it is none of these, or cannot be read at all.
        serving.models.manifest.ModelInvalid: the manifest of an OpenVINO folder cannot be read.
    """
    if (path / manifest.MODEL_FILE).is_file():
        return _converted(path)
    checkpoint = open_checkpoint(path)
    problems = []
    try:
        architecture = describe(checkpoint.config, family)
    except ArchitectureUnknown as error:
        return _unknown(path, checkpoint, f"{path}: {error}")
    try:
        checkpoint.refuse_quantised()
        problems += _wrong_tensors(checkpoint, architecture)
    except CheckpointError as error:
        problems.append(str(error))
    tokenizer = _tokenizer(checkpoint)
    try:
        read_tokens(path, families.tokenizer_of(architecture.family), checkpoint.metadata)
    except TokenizerError as error:
        problems.append(str(error))
    shape = CacheShape.of(architecture)
    return Inspection(
        path=str(path),
        layout=_layout(checkpoint),
        family=architecture.family,
        parameters=footprint.parameters(architecture),
        context_length=architecture.context_length,
        tokenizer=tokenizer or "none",
        stored_bytes=checkpoint.bytes,
        geometry=_geometry(architecture),
        tensor_types=_types(checkpoint),
        weight_bytes={
            name: footprint.stored_bytes(architecture, precision)
            for name, precision in PRECISIONS.items()
        },
        cache_bytes_per_1k=_cache(shape),
        problems=tuple(problems[:5]),
    )


def _wrong_tensors(checkpoint: Checkpoint, architecture: Architecture) -> list[str]:
    problems = []
    for matrix in architecture.matrices:
        try:
            matrix.check(checkpoint)
        except CheckpointError as error:
            problems.append(str(error))
    return problems


def _unknown(path: Path, checkpoint: Checkpoint, problem: str) -> Inspection:
    return Inspection(
        path=str(path),
        layout=_layout(checkpoint),
        family=str(checkpoint.config.get("model_type", "unknown")),
        parameters=sum(prod(checkpoint.shape(name)) for name in checkpoint.names()),
        context_length=0,
        tokenizer=_tokenizer(checkpoint) or "none",
        stored_bytes=checkpoint.bytes,
        tensor_types=_types(checkpoint),
        problems=(problem,),
    )


def _converted(folder: Path) -> Inspection:
    problems = []
    if not manifest.is_prepared(folder):
        problems.append(f"{folder / manifest.TOKENIZER_FILE} is missing; convert the model again.")
        known = manifest.Manifest(folder.name, str(folder), 0)
    else:
        known = manifest.read(folder)
        missing = [name for name in known.files if not (folder / name).is_file()]
        problems += [f"{folder / name} is missing; convert the model again." for name in missing]
    try:
        facts = ir_facts.read(folder / manifest.MODEL_FILE)
    except ir_facts.IrUnreadable as error:
        raise CheckpointError(str(error)) from error
    said = {"name": known.name, "source": known.source, "licence": known.licence}
    return Inspection(
        path=str(folder),
        layout="openvino",
        family=facts.provenance.get("family") or known.architecture,
        parameters=facts.parameters,
        context_length=known.context_length,
        tokenizer="OpenVINO" if manifest.is_prepared(folder) else "none",
        stored_bytes=sum(path.stat().st_size for path in folder.iterdir() if path.is_file()),
        geometry=facts.geometry,
        tensor_types=facts.tensor_types,
        weight_bytes={
            facts.provenance.get("weights", "as it is"): _size(folder / manifest.MODEL_FILE)
        },
        cache_bytes_per_1k=_cache(facts.cache),
        provenance={
            **{key: value for key, value in said.items() if value},
            **known.settings,
            **facts.provenance,
        },
        problems=tuple(problems),
    )


def _size(model: Path) -> int:
    weights = model.with_suffix(".bin")
    return weights.stat().st_size if weights.is_file() else 0


def _layout(checkpoint: Checkpoint) -> Literal["safetensors", "gguf"]:
    return "gguf" if checkpoint.path.suffix == ".gguf" else "safetensors"


def _geometry(architecture: Architecture) -> dict[str, int]:
    found = {
        "layers": architecture.layer_count,
        "hidden": architecture.hidden_size,
        "intermediate": architecture.intermediate_size,
        "heads": architecture.heads,
        "kv_heads": architecture.kv_heads,
        "head_size": architecture.head_size,
        "vocabulary": architecture.vocabulary,
    }
    cache, last = CacheShape.of(architecture), architecture.layer(architecture.layer_count - 1).mlp
    if cache.state:
        found |= {"layers_with_state": architecture.layer_count - cache.layers}
        found |= {"state_bytes_per_sequence": 4 * cache.state}
    if isinstance(last, Mixture):
        found |= {"experts": last.experts, "experts_chosen": last.chosen}
        found |= {"expert_width": last.width}
        found |= {"active_parameters": footprint.active_parameters(architecture)}
    return found


def _types(checkpoint: Checkpoint) -> dict[str, int]:
    """Weights by the type that they are stored in, the commonest first."""
    found: Counter[str] = Counter()
    for name in checkpoint.names():
        found[checkpoint.kind(name)] += prod(checkpoint.shape(name))
    return dict(found.most_common())


def _cache(shape: CacheShape) -> dict[str, int]:
    return {kind: 1000 * shape.bytes_per_token(kind) for kind in footprint.CACHE_KINDS}


def _tokenizer(checkpoint: Checkpoint) -> str:
    """What kind of tokenizer lies beside or inside the weights, empty where there is none."""
    if checkpoint.metadata is not None:
        return _tokenizer_of_gguf(checkpoint.path, checkpoint.metadata)
    for name in _TOKENIZER_FILES:
        path = checkpoint.path / name
        if path.is_file():
            kind = _kind_of_json(path) if path.suffix == ".json" else _kind_of_model(path)
            return f"{kind} ({name})"
    return ""


def _kind_of_json(path: Path) -> str:
    try:
        model: Any = json.loads(path.read_bytes())["model"]
        return f"{model['type']}, {len(model['vocab'])} tokens"
    except (OSError, ValueError, KeyError, TypeError):
        return "unreadable"


def _kind_of_model(path: Path) -> str:
    try:
        return f"sentencepiece, {len(parse_sentencepiece(path.read_bytes()).pieces)} pieces"
    except (OSError, ValueError):
        return "tiktoken ranks"


def _tokenizer_of_gguf(path: Path, metadata: Mapping[str, Any]) -> str:
    try:
        fields = tokenizer_fields(path, metadata)
    except TokenizerError:
        return ""
    kind = "/".join(str(fields[key]) for key in ("ggml.model", "ggml.pre") if key in fields)
    return f"{kind}, {len(fields['ggml.tokens'])} tokens (in the file)"
