"""A folder with an encoder: ``config.json``, safetensors, ``vocab.txt``.

Published BERT checkpoints name their tensors in a few ways: with or without ``bert.`` before them,
LayerNorm's vectors as ``gamma`` and ``beta`` in old ones.  Here they have one name each.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from serving.encoder import vocabulary
from serving.encoder.shape import HeadShape, RelationShape, Shape, head_shape_of, shape_of
from serving.encoder.vocabulary import Vocabulary
from serving.ir.checkpoint import CheckpointError
from serving.ir.checkpoint_opening import open_checkpoint
from serving.ir.matrix import Floats

PREFIX = "bert."
SPAN_PREFIX = "span_head."
RELATION_PREFIX = "relation_head."


class BertCheckpoint:
    """An encoder, with a head or without."""

    def __init__(self, folder: Path) -> None:
        """Read the configuration, the vocabulary and the tensors' places.

        Raises:
            CheckpointError: a file is missing, damaged, or does not fit the others.
        """
        self.folder = folder
        self._tensors = open_checkpoint(folder)
        where = str(folder / "config.json")
        self.config: Mapping[str, Any] = self._tensors.config
        self.shape: Shape = shape_of(self.config, where)
        self.head: HeadShape | None = head_shape_of(self.config, where)
        cut = self.config.get("vocabulary")
        if cut is not None and not isinstance(cut, dict):
            raise CheckpointError(f"{where}: vocabulary is not an object.")
        self.vocabulary: Vocabulary = vocabulary.read(folder, cut)
        if len(self.vocabulary) > self.shape.vocab_size:
            raise CheckpointError(
                f"{folder / vocabulary.FILE_NAME} lists {len(self.vocabulary)} tokens, but "
                f"config.json has vocab_size {self.shape.vocab_size}; they are of two models."
            )
        self._names = {_plain(name): name for name in self._tensors.names()}

    def has(self, name: str) -> bool:
        """Whether there is a tensor ``name`` (with its prefix)."""
        return name in self._names

    def read(self, name: str, shape: tuple[int, ...]) -> Floats:
        """The tensor ``name`` (with its prefix) as float32.

        Raises:
            CheckpointError: it is missing, of another shape, cut short, or not finite.
        """
        stored = self._names.get(name, name)
        self._tensors.expect(stored, shape)
        values = np.array(self._tensors.read(stored), np.float32)
        if not np.isfinite(values).all():
            raise CheckpointError(
                f"{self.folder}: the tensor {stored} holds a number that is infinite or none; the "
                "file is damaged."
            )
        return values

    def encoder_tensors(self) -> dict[str, Floats]:
        """Every tensor of the encoder by its name.  Raises as `read` does."""
        return {name: self.read(name, shape) for name, shape in encoder_shapes(self.shape).items()}

    def head_tensors(self) -> dict[str, Floats]:
        """Every tensor of the head; none where there is no head.  Raises as `read` does."""
        if self.head is None:
            return {}
        shapes = head_shapes(self.shape, self.head)
        return {name: self.read(name, shape) for name, shape in shapes.items()}

    def digests(self) -> dict[str, str]:
        """SHA-256 of the files that the tensors lie in."""
        return self._tensors.digests()


def encoder_shapes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the encoder's tensors, as Hugging Face's BertModel has them."""
    hidden, inner = shape.hidden_size, shape.intermediate_size
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (shape.vocab_size, hidden),
        "embeddings.position_embeddings.weight": (shape.max_position_embeddings, hidden),
        "embeddings.token_type_embeddings.weight": (shape.type_vocab_size, hidden),
        **_norm("embeddings", hidden),
    }
    for index in range(shape.num_hidden_layers):
        layer = f"encoder.layer.{index}"
        for part in ("query", "key", "value"):
            shapes |= _linear(f"{layer}.attention.self.{part}", hidden, hidden)
        shapes |= _linear(f"{layer}.attention.output.dense", hidden, hidden)
        shapes |= _norm(f"{layer}.attention.output", hidden)
        shapes |= _linear(f"{layer}.intermediate.dense", inner, hidden)
        shapes |= _linear(f"{layer}.output.dense", hidden, inner)
        shapes |= _norm(f"{layer}.output", hidden)
    return {PREFIX + name: size for name, size in shapes.items()}


def head_shapes(shape: Shape, head: HeadShape) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the head's tensors; see `serving.encoder.head`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for grid, labels in head.grids.items():
        shapes |= _linear(f"{grid}projection", 2 * head.size, shape.hidden_size)
        shapes |= _linear(f"{grid}ends", 2 * labels, 2 * head.size)
    return {head_prefix(head) + name: size for name, size in shapes.items()}


def head_prefix(head: HeadShape) -> str:
    """What stands before the names of the head's tensors."""
    return RELATION_PREFIX if isinstance(head, RelationShape) else SPAN_PREFIX


def _linear(name: str, rows: int, columns: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (rows, columns), f"{name}.bias": (rows,)}


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.LayerNorm.weight": (width,), f"{name}.LayerNorm.bias": (width,)}


def _plain(name: str) -> str:
    if name.endswith("LayerNorm.gamma"):
        name = name.removesuffix("gamma") + "weight"
    elif name.endswith("LayerNorm.beta"):
        name = name.removesuffix("beta") + "bias"
    if name.startswith(("embeddings.", "encoder.")):
        name = PREFIX + name
    return name
