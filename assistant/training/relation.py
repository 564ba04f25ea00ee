"""Training of relation extraction: the relation head and the encoder under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.tasks.structuring import relation_decoding
from assistant.tasks.structuring.decoding import logit
from assistant.training import relation_data
from assistant.training.fitting import (
    FitSettings,
    Start,
    Trained,
    learn,
    on_device,
)
from assistant.training.loss import span_loss
from assistant.training.model import RelationModel
from assistant.training.optimisation import (
    Progress,
    TrainingInvalid,
    device,
    products,
)
from assistant.training.relation_data import RelationBatch, RelationExample
from assistant.training.scoring import THRESHOLDS, Chosen, choose
from serving.encoder.head import RelationScores, SpanScores
from serving.encoder.shape import RelationShape, Shape
from serving.encoder.vocabulary import Vocabulary


class _Task:
    def __init__(
        self,
        model: Any,
        vocabulary: Vocabulary,
        shape: RelationShape,
        examples: Sequence[RelationExample],
        dev: Sequence[RelationExample],
        settings: FitSettings,
    ) -> None:
        self.model = model.to(device())
        self._vocabulary = vocabulary
        self._shape = shape
        self._dev = dev
        self._settings = settings
        made = [relation_data.document(one, vocabulary, shape.predicates) for one in examples]
        self._documents = [one for one, _ in made]
        self.lost = sum(lost for _, lost in made)

    def batches(self, random: np.random.Generator) -> Iterator[RelationBatch]:
        settings = self._settings
        cut = [
            piece
            for one in self._documents
            for piece in relation_data.pieces(one, settings.size, random)
        ]
        return relation_data.batches(
            cut, self._vocabulary, settings.tokens, random, settings.hidden
        )

    def loss(self, batch: RelationBatch) -> Any:
        ids, mask, *gold = on_device(batch.ids, batch.mask, batch.spans, batch.heads, batch.tails)
        with products(self._settings.numbers):
            tables = self.model(ids, mask)
        every = [
            # Summed over the labels: nearly every text is empty of nearly every predicate.
            labels
            * span_loss(
                parts,
                mask,
                wanted,
                torch.ones(len(ids), labels, dtype=torch.bool, device=ids.device),
                ordered=grid == "spans.",
            )
            for (grid, labels), parts, wanted in zip(
                self._shape.grids.items(), tables, gold, strict=True
            )
        ]
        return sum(every) / len(every)

    def chosen(self) -> Chosen:
        return choose(
            (example.text for example in self._dev),
            lambda text: relation_decoding.find(
                text,
                self._vocabulary,
                self._shape.predicates,
                self._scan,
                self._settings.size,
                logit(THRESHOLDS[0]),
            ),
            lambda find: relation_data.score(self._dev, find),
        )

    def _scan(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, RelationScores]]:
        for index, row in enumerate(rows):
            ids = np.array([[self._vocabulary.first, *row, self._vocabulary.last]], np.int64)
            given = on_device(ids, np.ones(ids.shape, bool))
            with torch.no_grad(), products(self._settings.numbers):
                tables = self.model(*given)
            yield (
                index,
                RelationScores(
                    *(
                        SpanScores.of_row([p.float().cpu().numpy() for p in parts], 0, len(row))
                        for parts in tables
                    )
                ),
            )


def train(
    training: Sequence[RelationExample],
    dev: Sequence[RelationExample],
    start: Start,
    folder: Path,
    settings: FitSettings,
    report: Progress,
) -> Trained:
    """As `ner.train`, for triples.

    Raises:
        TrainingInvalid: nothing is annotated, or the loss is no number any more.
        StateInvalid: the folder holds the state of another run.
    """
    predicates = relation_data.predicates_of(training)
    if not predicates or not any(example.triples for example in dev):
        raise TrainingInvalid("The training set and the dev set must both hold triples.")
    relation = RelationShape(tuple(predicates))

    def make(vocabulary: Vocabulary, shape: Shape, settings: FitSettings) -> _Task:
        model = RelationModel(shape, relation, settings.dropout)
        return _Task(model, vocabulary, relation, training, dev, settings)

    return learn("relation", relation, make, start, folder, settings, report)
