"""Training of relation extraction: the relation head and the encoder under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.structuring import relation_decoding
from assistant.structuring.training import export, relation_data
from assistant.structuring.training.fitting import Epoch, FitSettings, finish, fit, on_device
from assistant.structuring.training.loss import span_loss
from assistant.structuring.training.model import RelationModel, beginning, load
from assistant.structuring.training.optimisation import (
    Progress,
    TrainingInvalid,
    device,
    products,
)
from assistant.structuring.training.relation_data import RelationBatch, RelationExample
from assistant.structuring.training.scoring import Scores
from assistant.structuring.training.state import seed
from serving.bert.checkpoint import BertCheckpoint
from serving.bert.head import RelationScores, SpanScores
from serving.bert.shape import RelationShape, Shape
from serving.bert.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class TrainedRelations:
    """The best epoch's model is in ``folder``; ``dev`` are its scores by predicate; ``lost``
    triples of the training data are not words of their text."""

    folder: Path
    dev: Scores
    epochs: tuple[Epoch, ...]
    best: int
    lost: int
    seconds: float


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

    def f1(self) -> float:
        return self.scores().micro().f1

    def scores(self) -> Scores:
        return relation_data.score(
            self._dev,
            lambda text: relation_decoding.find(
                text, self._vocabulary, self._shape.predicates, self._scan, self._settings.size
            ),
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
    start: BertCheckpoint | tuple[Vocabulary, Shape],
    folder: Path,
    settings: FitSettings,
    report: Progress,
) -> TrainedRelations:
    """As `ner.train`, for triples.

    Raises:
        TrainingInvalid: nothing is annotated, or the loss is no number any more.
        StateInvalid: the folder holds the state of another run.
    """
    predicates = relation_data.predicates_of(training)
    if not predicates or not any(example.triples for example in dev):
        raise TrainingInvalid("The training set and the dev set must both hold triples.")
    relation = RelationShape(tuple(predicates))
    vocabulary, shape = beginning(start)
    settings = replace(settings, size=min(settings.size, shape.max_position_embeddings - 2))
    seed(settings.seed)
    model = RelationModel(shape, relation, settings.dropout)
    if isinstance(start, BertCheckpoint):
        load(model, start.encoder_tensors())
    task = _Task(model, vocabulary, relation, training, dev, settings)
    told_of = {"relation": asdict(settings), "shape": asdict(shape), "predicates": predicates}
    fitted = fit(task, settings, folder, told_of, report)
    scores = task.scores()
    facts = {
        "dev_micro_f1": round(scores.micro().f1, 4),
        "epoch": fitted.best,
        "seed": settings.seed,
    }
    export.write(folder, fitted.weights, shape, vocabulary, relation, facts={"relation": facts})
    finish(folder, told_of)
    return TrainedRelations(folder, scores, fitted.epochs, fitted.best, task.lost, fitted.seconds)
