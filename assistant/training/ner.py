"""Training of entity recognition: the span head and the encoder under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.tasks.structuring import decoding
from assistant.training.batches import (
    Batch,
    Document,
    Mentions,
    batches,
    document,
    pieces,
)
from assistant.training.dataset import Example, is_nested, types_of
from assistant.training.fitting import (
    FitSettings,
    Start,
    Trained,
    learn,
    on_device,
)
from assistant.training.loss import span_loss
from assistant.training.model import SpanModel
from assistant.training.optimisation import (
    Numbers,
    Progress,
    TrainingInvalid,
    device,
    products,
)
from assistant.training.scoring import THRESHOLDS, Chosen, Scores, choose, score
from serving.encoder.head import SpanScores
from serving.encoder.shape import Shape, SpanShape
from serving.encoder.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class NerSettings(FitSettings):
    """``exchange``: share of mentions worded as another of their type."""

    exchange: float = 0.0


class TorchScan:
    """The model under training as a `decoding.Scan`."""

    def __init__(self, model: Any, vocabulary: Vocabulary, tokens: int, numbers: Numbers) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._tokens = tokens
        self._numbers = numbers

    def __call__(self, rows: Sequence[Sequence[int]]) -> Iterator[tuple[int, SpanScores]]:
        """Scores of each row, its special tokens taken off."""
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        while order:
            longest = len(rows[order[-1]]) + 2
            count = max(1, self._tokens // longest)
            chosen, order = order[-count:], order[:-count]
            ids = np.full((len(chosen), longest), self._vocabulary.pad, np.int64)
            mask = np.zeros((len(chosen), longest), bool)
            for place, index in enumerate(chosen):
                row = [self._vocabulary.first, *rows[index], self._vocabulary.last]
                ids[place, : len(row)] = row
                mask[place, : len(row)] = True
            where = device()
            with torch.no_grad(), products(self._numbers):
                parts = self._model(
                    torch.from_numpy(ids).to(where), torch.from_numpy(mask).to(where)
                )
            tables = [part.float().cpu().numpy() for part in parts]
            for place, index in enumerate(chosen):
                yield index, SpanScores.of_row(tables, place, len(rows[index]))


class SpanTask:
    """Entity recognition as `fitting.Task`: documents in batches, the loss, the score."""

    def __init__(
        self,
        model: Any,
        vocabulary: Vocabulary,
        span: SpanShape,
        examples: Sequence[Example],
        dev: Sequence[Example],
        settings: NerSettings,
    ) -> None:
        self.model = model.to(device())
        self._span = span
        self._vocabulary = vocabulary
        self._examples = examples
        self._dev = dev
        self._mentions = Mentions(examples)
        self._settings = settings
        made = [document(example, vocabulary, span.labels) for example in examples]
        self.lost = sum(lost for _, lost in made)

    def batches(self, random: np.random.Generator) -> Iterator[Batch]:
        """One pass over the documents."""
        return batches(
            list(self._documents(random)), self._vocabulary, self._settings.tokens, random,
            self._settings.hidden,
        )  # fmt: skip

    def _documents(self, random: np.random.Generator) -> Iterator[Document]:
        for example in self._examples:
            if self._settings.exchange:
                example = self._mentions.exchanged(example, self._settings.exchange, random)
            made, _ = document(example, self._vocabulary, self._span.labels)
            yield from pieces(made, self._settings.size, random)

    def loss(self, batch: Batch) -> Any:
        """The loss of a batch."""
        ids, mask, gold, annotated = on_device(batch.ids, batch.mask, batch.gold, batch.annotated)
        with products(self._settings.numbers):
            parts = self.model(ids, mask)
        return span_loss(parts, mask, gold, annotated)

    def chosen(self) -> Chosen:
        """The best threshold on the dev set and the scores with it."""
        return choose(
            (example.text for example in self._dev),
            self._find,
            lambda find: score(self._dev, find),
        )

    def at_thresholds(self) -> list[Scores]:
        """The scores on the dev set at each of `THRESHOLDS`."""
        found = {example.text: self._find(example.text) for example in self._dev}

        def above(least: float) -> Scores:
            return score(self._dev, lambda text: [x for x in found[text] if x.score >= least])

        return [above(least) for least in THRESHOLDS]

    def _find(self, text: str) -> list[decoding.LabelledSpan]:
        settings, span = self._settings, self._span
        scan = TorchScan(self.model, self._vocabulary, settings.tokens, settings.numbers)
        lowest = decoding.logit(THRESHOLDS[0])
        return list(
            decoding.find(
                text, self._vocabulary, span.labels, scan, settings.size, span.nested, lowest
            )
        )


def train(
    training: Sequence[Example],
    dev: Sequence[Example],
    start: Start,
    folder: Path,
    settings: NerSettings,
    report: Progress,
) -> Trained:
    """Train on ``training``, stop by ``dev``, write the best model to ``folder``.

    Raises:
        TrainingInvalid: nothing is annotated, or the loss is no number any more.
        StateInvalid: the folder holds the state of another run.
    """
    types = types_of(training)
    if not types or not any(example.labels for example in dev):
        raise TrainingInvalid("The training set and the dev set must both hold entities.")
    span = SpanShape(tuple(types), nested=is_nested(training))

    def make(vocabulary: Vocabulary, shape: Shape, settings: NerSettings) -> SpanTask:
        model = SpanModel(shape, span, settings.dropout)
        return SpanTask(model, vocabulary, span, training, dev, settings)

    return learn("ner", span, make, start, folder, settings, report)
