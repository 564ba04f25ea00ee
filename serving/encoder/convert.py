"""A checkpoint as an OpenVINO folder: graph, vocabulary, configuration, manifest."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from serving.encoder import graph, vocabulary
from serving.encoder.checkpoint import BertCheckpoint
from serving.encoder.shape import head_shape_of
from serving.ir.workspace import workspace
from serving.models.manifest import MODEL_FILE, WEIGHTS_FILE, Manifest, sha256_of

CONFIG_FILE = "config.json"
_OTHERS = ("LICENSE", "README.md", "MODEL_CARD.md")


def convert(
    source: Path, target: Path, name: str = "", licence: str = "", compress: bool = False
) -> Path:
    """Write the encoder at ``source``, with its head where it has one, to ``target``.

    Weights stay float32; with ``compress`` they are stored as float16 and computed in what the
    runtime is told.  A folder already at ``target`` is replaced when the new one is whole.

    Raises:
        CheckpointError: the source is incomplete or damaged; the message names file and tensor.
    """
    import openvino

    checkpoint = BertCheckpoint(source)
    tensors = checkpoint.encoder_tensors() | checkpoint.head_tensors()
    model = graph.build(checkpoint.shape, tensors, checkpoint.head)
    digests = ", ".join(checkpoint.digests().values())

    def save(folder: Path) -> None:
        openvino.save_model(model, folder / MODEL_FILE, compress_to_fp16=compress)

    settings = {"weights": "fp16" if compress else "fp32"}
    return write(source, target, save, settings, name or target.name, licence, digests)


def write(
    source: Path,
    target: Path,
    save: Callable[[Path], Any],
    settings: dict[str, str],
    name: str,
    licence: str,
    digest: str = "",
) -> Path:
    """A model folder made whole at ``target``: what ``save`` writes, and what lies beside it in
    ``source``.  Paths of this machine do not go into the manifest."""
    with workspace(target) as folder:
        save(folder)
        config = json.loads((source / CONFIG_FILE).read_bytes())
        text = json.dumps(config, ensure_ascii=False, indent=2)
        (folder / CONFIG_FILE).write_text(text + "\n", encoding="utf-8")
        shutil.copyfile(source / vocabulary.FILE_NAME, folder / vocabulary.FILE_NAME)
        for other in _OTHERS:
            if (source / other).is_file():
                shutil.copyfile(source / other, folder / other)
        files = {path.name: sha256_of(path) for path in sorted(folder.iterdir())}
        Manifest(
            name=name,
            source=source.name,
            context_length=int(config.get("max_position_embeddings", 512)),
            source_sha256=digest,
            licence=licence,
            architecture=graph.architecture(head_shape_of(config, CONFIG_FILE)),
            files=files,
            settings=settings,
        ).write(folder)
        if target.exists():
            shutil.rmtree(target)
        folder.rename(target)
    return target


def is_converted(folder: Path) -> bool:
    """Whether ``folder`` holds a graph, its weights, a configuration and a vocabulary."""
    names = (MODEL_FILE, WEIGHTS_FILE, CONFIG_FILE, vocabulary.FILE_NAME)
    return all((folder / name).is_file() for name in names)
