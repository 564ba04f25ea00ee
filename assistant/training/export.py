"""A trained model as a folder that `serving.encoder` reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from assistant.training.state import write_atomically
from serving.encoder.shape import HeadShape, Shape, head_config
from serving.encoder.vocabulary import Vocabulary

WEIGHTS_FILE = "model.safetensors"


def write(
    folder: Path,
    tensors: Mapping[str, Any],
    shape: Shape,
    vocabulary: Vocabulary,
    head: HeadShape | None = None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """``config.json``, ``vocab.txt`` and ``model.safetensors``; the weights come last, so that a
    folder with weights is whole.  ``facts`` tell how the model came about."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {**shape.config(), "vocabulary": vocabulary.settings()}
    if head is not None:
        config |= head_config(head)
    if facts:
        config["training"] = dict(facts)
    vocabulary.write(folder)
    text = json.dumps(config, ensure_ascii=False, indent=2)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    write_atomically(folder / WEIGHTS_FILE, tensors)
