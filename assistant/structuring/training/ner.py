"""Training of entity recognition: the span head and the encoder under it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from assistant.structuring import decoding
from assistant.structuring.training import export
from assistant.structuring.training.batches import (
    Batch,
    Document,
    Mentions,
    batches,
    document,
    pieces,
)
from assistant.structuring.training.dataset import Example, is_nested, types_of
from assistant.structuring.training.model import SpanModel, load
from assistant.structuring.training.optimisation import (
    Average,
    Numbers,
    Progress,
    TrainingInvalid,
    adamw,
    clip,
    device,
    products,
    warm_and_fall,
)
from assistant.structuring.training.scoring import Scores, score
from assistant.structuring.training.state import RunState, seed
from serving.bert.checkpoint import HEAD_PREFIX, BertCheckpoint
from serving.bert.head import SpanScores
from serving.bert.shape import Shape, SpanShape
from serving.bert.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class NerSettings:
    """``tokens`` a step; ``size``: the longest window; ``rate`` of the encoder, ``head_rate`` of
    the head; ``patience``: epochs without a better F1 on the dev set before training stops.

    ``exchange``: share of mentions worded as another of their type; ``hidden``: share of tokens
    masked; ``average``: what the mean of the weights keeps a step.
    """

    epochs: int = 30
    patience: int = 6
    tokens: int = 4_096
    size: int = 254
    rate: float = 5e-4
    head_rate: float = 2e-3
    warm: float = 0.05
    decay: float = 0.01
    dropout: float = 0.1
    exchange: float = 0.0
    hidden: float = 0.0
    average: float = 0.99
    numbers: Numbers = "auto"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one pass over the data came to; ``f1`` is strict micro-F1 on the dev set."""

    number: int
    loss: float
    f1: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Trained:
    """The best epoch's model is in ``folder``; ``dev`` are its scores; ``lost`` spans of the
    training data begin or end within a token."""

    folder: Path
    dev: Scores
    epochs: tuple[Epoch, ...]
    best: int
    lost: int
    seconds: float


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
            pairs, starts, stops = (part.float().cpu().numpy() for part in parts)
            for place, index in enumerate(chosen):
                yield index, SpanScores.of_row(pairs, starts, stops, place, len(rows[index]))


def span_loss(parts: Any, batch_mask: Any, gold: Any, annotated: Any) -> Any:
    """Multi-label cross entropy (Su 2020): every span's score above 0 and above every other's.

    ``parts``: what the scores are sums of, see `SpanModel`.  For each text and type that was
    annotated: log(1 + Σ exp(s of other pairs)) + log(1 + Σ exp(-s of spans)); mean over those.

    As a score is a sum, its exponential is a product, and the sum over all pairs of tokens is a
    product of matrices: no score is made for every type and pair, which costs more than the rest of
    a small encoder's step.
    """
    pairs, starts, stops = parts
    length = pairs.shape[1]
    allowed = torch.ones(length, length, dtype=torch.bool, device=pairs.device).triu()
    allowed = allowed & (batch_mask[:, :, None] & batch_mask[:, None, :])
    row, kind = gold[:, 0], gold[:, 1]
    # Where any type has a span, each type's score is added by itself.
    places, which = torch.unique(gold[:, [0, 2, 3]], dim=0, return_inverse=True)
    allowed[places[:, 0], places[:, 1], places[:, 2]] = False
    top, top_start, top_stop = (
        part.detach().amax(dim, keepdim=True)
        for part, dim in ((pairs, (1, 2)), (starts, 2), (stops, 2))
    )
    begins, ends = (starts - top_start).exp(), (stops - top_stop).exp()
    total = ((begins @ ((pairs - top).exp() * allowed)) * ends).sum(-1)
    shift = (top + top_start + top_stop)[..., 0]
    on, i, j = places.unbind(1)
    scores = pairs[on, i, j][:, None] + starts[on, :, i] + stops[on, :, j]
    spans = scores[which, kind]
    other = torch.ones_like(scores).index_put((which, kind), scores.new_zeros(()))
    total = total.index_add(0, on, (scores - shift[on]).exp() * other)
    least = torch.finfo(total.dtype).tiny
    wrong = functional.softplus(shift + total.clamp(min=least).log())
    # exp(-s) summed by text and type; scores far below 0 would overflow without the bound.
    missed = torch.zeros_like(total).index_put(
        (row, kind), (-spans).clamp(max=60.0).exp(), accumulate=True
    )
    return ((wrong + missed.log1p()) * annotated).sum() / annotated.sum().clamp(min=1)


class _Run:
    def __init__(
        self,
        model: Any,
        vocabulary: Vocabulary,
        span: SpanShape,
        examples: Sequence[Example],
        settings: NerSettings,
    ) -> None:
        self.model = model.to(device())
        self.span = span
        self._vocabulary = vocabulary
        self._examples = examples
        self._mentions = Mentions(examples)
        self._settings = settings
        made = [document(example, vocabulary, span.labels) for example in examples]
        self.lost = sum(lost for _, lost in made)
        self._tokens = sum(len(one.ids) for one, _ in made)
        self.optimizer = adamw(
            model,
            lambda name: settings.head_rate if name.startswith(HEAD_PREFIX) else settings.rate,
            settings.decay,
        )
        self.average = Average(model, settings.average)
        self.steps = settings.epochs * max(1, round(1.1 * self._tokens / settings.tokens))

    def epoch(
        self, number: int, step: int, report: Callable[[int, float], None]
    ) -> tuple[int, float]:
        """One pass; the step it ends at and its mean loss.  Follows from the epoch's number."""
        settings = self._settings
        random = np.random.default_rng([settings.seed, number])
        seed(settings.seed * 1_000_003 + number)
        total, count = 0.0, 0
        for batch in batches(
            list(self._documents(random)), self._vocabulary, settings.tokens, random,
            settings.hidden,
        ):  # fmt: skip
            total += self._step(batch, step)
            count += 1
            step += 1
            report(step, total / count)
        return step, total / max(1, count)

    def _documents(self, random: np.random.Generator) -> Iterator[Document]:
        for example in self._examples:
            if self._settings.exchange:
                example = self._mentions.exchanged(example, self._settings.exchange, random)
            made, _ = document(example, self._vocabulary, self.span.labels)
            yield from pieces(made, self._settings.size, random)

    def _step(self, batch: Batch, step: int) -> float:
        self.model.train()
        where = device()
        ids, mask, gold, annotated = (
            torch.from_numpy(part).to(where)
            for part in (batch.ids, batch.mask, batch.gold, batch.annotated)
        )
        with products(self._settings.numbers):
            parts = self.model(ids, mask)
        loss = span_loss(parts, mask, gold, annotated)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip(self.model.parameters())
        warm_and_fall(self.optimizer, min(step, self.steps), self.steps, self._settings.warm)
        self.optimizer.step()
        self.average.update(self.model)
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingInvalid(f"The loss is no number at step {step}; lower --rate.")
        return value

    def scores(self, examples: Sequence[Example]) -> Scores:
        """Strict scores of the averaged weights."""
        settings = self._settings
        self.model.eval()
        scan = TorchScan(self.model, self._vocabulary, settings.tokens, settings.numbers)
        with self.average.in_place(self.model):
            return score(
                examples,
                lambda text: decoding.find(
                    text, self._vocabulary, self.span.labels, scan, settings.size, self.span.nested
                ),
            )


def train(
    training: Sequence[Example],
    dev: Sequence[Example],
    start: BertCheckpoint | tuple[Vocabulary, Shape],
    folder: Path,
    settings: NerSettings,
    report: Progress,
) -> Trained:
    """Train on ``training``, stop by ``dev``, write the best model to ``folder``.

    ``start``: an encoder, or a vocabulary and a shape to begin from nothing.  Goes on after the
    last whole epoch where a killed run was.

    Raises:
        TrainingInvalid: nothing is annotated, or the loss is no number any more.
        StateInvalid: the folder holds the state of another run.
    """
    types = types_of(training)
    if not types or not any(example.labels for example in dev):
        raise TrainingInvalid("The training set and the dev set must both hold entities.")
    span = SpanShape(tuple(types), nested=is_nested(training))
    from_checkpoint = isinstance(start, BertCheckpoint)
    vocabulary, shape = (
        (start.vocabulary, start.shape) if isinstance(start, BertCheckpoint) else start
    )
    if not from_checkpoint:
        shape = replace(shape, vocab_size=len(vocabulary))
    settings = replace(settings, size=min(settings.size, shape.max_position_embeddings - 2))
    seed(settings.seed)
    model = SpanModel(shape, span, settings.dropout)
    if isinstance(start, BertCheckpoint):
        load(model, start.encoder_tensors())
    run = _Run(model, vocabulary, span, training, settings)
    state = RunState(
        folder, {"ner": asdict(settings), "shape": asdict(shape), "labels": list(types)}
    )
    history: list[Epoch] = []
    step, best = 0, -1
    best_weights = dict(run.average.weights)
    found = state.restore(model, run.optimizer)
    if found is not None:
        groups, facts = found
        model.load_state_dict(groups["model"])
        run.average.restore(groups["average"], facts["averaged"])
        best_weights = groups["best"]
        history = [Epoch(**one) for one in facts["history"]]
        step, best = facts["step"], facts["best"]
    seconds = history[-1].seconds if history else 0.0
    clock = time.monotonic() - seconds
    told = ""
    for number in range(len(history), settings.epochs):
        step, loss = run.epoch(
            number,
            step,
            lambda done, mean, number=number, told=told: report(  # type: ignore[misc]
                done, run.steps, f"epoch {number + 1}, loss {mean:.4f}{told}"
            ),
        )
        f1 = run.scores(dev).micro().f1
        history.append(Epoch(number + 1, loss, f1, time.monotonic() - clock))
        if best < 0 or f1 > history[best].f1:
            best = number
            best_weights = {k: v.detach().clone() for k, v in run.average.weights.items()}
        told = f", dev F1 {f1:.4f}, best {history[best].f1:.4f}"
        report(step, run.steps, f"epoch {number + 1} done, loss {loss:.4f}{told}")
        state.save(
            {"model": model.state_dict(), "average": run.average.weights, "best": best_weights},
            model,
            run.optimizer,
            {
                "step": step,
                "best": best,
                "averaged": run.average.steps,
                "history": [asdict(one) for one in history],
            },
        )
        if number - best >= settings.patience:
            break
    run.average.weights = best_weights
    scores = run.scores(dev)
    facts = {
        "dev_micro_f1": round(scores.micro().f1, 4),
        "epoch": best + 1,
        "seed": settings.seed,
    }
    export.write(folder, best_weights, shape, vocabulary, span, {"ner": facts})
    state.remove()
    return Trained(folder, scores, tuple(history), best + 1, run.lost, time.monotonic() - clock)
