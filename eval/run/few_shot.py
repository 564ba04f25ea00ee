"""Examples for a prompt, found in a train file by likeness of the prompts.

A train sample that overlaps the test set, or is one of it, is never an example.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from eval.overlap import Overlap, Text, compare
from eval.promptcblue.sample import Sample
from knowledge.retrieval.lexical import LexicalIndex
from serving.encoder.text_encoder import Encoder


class Retriever(Protocol):
    """Finds the train samples of one task that are nearest to a prompt."""

    def nearest(self, task: str, prompt: str, count: int) -> list[Sample]:
        """Nearest first."""


def without_overlap(
    train: Sequence[Sample], test: Sequence[Sample]
) -> tuple[list[Sample], Overlap]:
    """The train samples that do not overlap ``test``, and the overlap that was found."""
    overlap = compare(_texts(train), _texts(test))
    barred = overlap.train_names
    return [s for place, s in enumerate(train) if str(place) not in barred], overlap


def _texts(samples: Sequence[Sample]) -> list[Text]:
    return [
        Text(str(place), s.task_dataset, s.input, s.answer_choices or ())
        for place, s in enumerate(samples)
    ]


def _by_task(train: Sequence[Sample]) -> dict[str, list[Sample]]:
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in train:
        groups[sample.task_dataset].append(sample)
    return groups


class LexicalRetriever:
    """BM25 over character bigrams."""

    def __init__(self, train: Sequence[Sample]) -> None:
        self._samples = _by_task(train)
        self._folder = tempfile.TemporaryDirectory(prefix="bedside-eval-")
        self._indexes: dict[str, LexicalIndex] = {}
        for place, (task, samples) in enumerate(self._samples.items()):
            folder = Path(self._folder.name) / str(place)
            folder.mkdir()
            LexicalIndex.build((sample.input for sample in samples), folder)
            self._indexes[task] = LexicalIndex(folder)

    def nearest(self, task: str, prompt: str, count: int) -> list[Sample]:
        """See `Retriever.nearest`."""
        if task not in self._indexes:
            return []
        return [self._samples[task][row] for row, _ in self._indexes[task].search(prompt, count)]


class VectorRetriever:
    """Cosine similarity of the prompts' embeddings."""

    def __init__(self, train: Sequence[Sample], encoder: Encoder) -> None:
        self._encoder = encoder
        self._samples = _by_task(train)
        self._vectors = {
            task: encoder.passages([sample.input for sample in samples])
            for task, samples in self._samples.items()
        }

    def nearest(self, task: str, prompt: str, count: int) -> list[Sample]:
        """See `Retriever.nearest`."""
        if task not in self._vectors:
            return []
        likeness = self._vectors[task] @ self._encoder.queries([prompt])[0]
        best = np.argsort(-likeness, kind="stable")[:count]
        return [self._samples[task][int(row)] for row in best]
