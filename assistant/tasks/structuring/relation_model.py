"""Triples by a trained relation model: any text, of any length."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from assistant.tasks.structuring import relation_decoding
from assistant.tasks.structuring.decoding import logit
from assistant.tasks.structuring.recognizer import source_of
from assistant.tasks.structuring.relation_decoding import FoundTriple
from serving.encoder.convert import CONFIG_FILE
from serving.encoder.head import RelationScores
from serving.encoder.runtime import BertRuntime, Compute, ModelUnavailable, Placement

_WINDOW = 254
# Windows of a very long text that are held in memory at once.
_AT_ONCE = 64


class ModelRelationReader:
    """A relation model at work.  Safe to use from several threads."""

    def __init__(self, runtime: BertRuntime, above: float | None = None) -> None:
        """``above``: triples of at least this score are given; None: what the model was found
        best with."""
        if runtime.relation is None:
            raise ModelUnavailable(f"{runtime.folder} is an encoder without a relation head.")
        self._runtime = runtime
        self._predicates = runtime.relation.predicates
        self.above = runtime.relation.above if above is None else above
        self._size = min(_WINDOW, runtime.longest)
        self._source = source_of(runtime.folder)

    @classmethod
    def open(
        cls,
        folder: Path,
        compute: Compute = "auto",
        placement: Placement | None = None,
        above: float | None = None,
        kept: Path | None = None,
    ) -> ModelRelationReader:
        """The converted model in ``folder``; ``kept``: as `BertRuntime` takes it.

        Raises:
            ModelUnavailable: it cannot be run here; the message says what to do.
            CheckpointError: its configuration or vocabulary is wrong; the message names the file.
        """
        return cls(BertRuntime(folder, compute, placement, kept=kept), above)

    @property
    def folder(self) -> Path:
        """Where the model is."""
        return self._runtime.folder

    @property
    def name(self) -> str:
        """The model with the beginning of its weights' SHA-256."""
        return str(self._source)

    def read(self, text: str) -> list[FoundTriple]:
        """The triples of ``text``, by their places; any text is fine, empty too."""
        return relation_decoding.find(
            text,
            self._runtime.vocabulary,
            self._predicates,
            self._scan,
            self._size,
            logit(self.above),
        )

    def _scan(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, RelationScores]]:
        for start in range(0, len(rows), _AT_ONCE):
            for index, scores in self._runtime.relations(rows[start : start + _AT_ONCE]):
                yield start + index, scores


def is_relation_model(folder: Path) -> bool:
    """Whether the model in ``folder`` has a relation head, by its configuration."""
    try:
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and "relation_head" in config
