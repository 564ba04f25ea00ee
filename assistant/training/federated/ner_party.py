"""Entity recognition at one site: score the common model, learn on its own documents."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from assistant.training import export
from assistant.training.batches import Batch
from assistant.training.dataset import DatasetInvalid, Example, is_nested, types_of
from assistant.training.federated import scored
from assistant.training.federated.averaging import clipped
from assistant.training.federated.members import Joined
from assistant.training.federated.message import Weights, difference
from assistant.training.federated.ner_plan import NerPlan
from assistant.training.federated.party import Learnt
from assistant.training.federated.plan import Counts, Plan
from assistant.training.model import SpanModel
from assistant.training.ner import NerSettings, SpanTask
from assistant.training.optimisation import TrainingInvalid, adamw, clip, warm_and_fall
from assistant.training.state import seed
from serving.encoder.checkpoint import PREFIX


@dataclass(frozen=True, slots=True)
class NerParty:
    """A site with annotated documents; ``own_seed`` tells sites of one process apart."""

    examples: Sequence[Example]
    dev: Sequence[Example]
    own_seed: int = 0

    def said(self) -> Joined:
        """As `Party.said`."""
        types = types_of(self.examples)
        if not types:
            raise DatasetInvalid("训练文档没有标注。(The training documents hold no entity.)")
        return Joined(
            len(self.examples), characters(self.examples), tuple(types), is_nested(self.examples)
        )

    def learner(self, plan: Plan) -> LocalNer:
        """As `Party.learner`."""
        return LocalNer(_ner(plan), self.examples, self.dev, self.own_seed)

    def write(self, folder: Path, weights: Weights, plan: Plan, above: float) -> None:
        """As `Party.write`."""
        write(folder, weights, _ner(plan), above)


class LocalNer:
    """Entity recognition at one site.  The optimiser's moments stay here from round to round."""

    def __init__(
        self, plan: NerPlan, examples: Sequence[Example], dev: Sequence[Example], own_seed: int = 0
    ) -> None:
        learning = plan.learning
        annotated = {one for example in [*examples, *dev] for one in example.annotated}
        if strange := plan.strange(sorted(annotated)):
            raise TrainingInvalid(
                "本站点的类型不在联邦模型中，请重新开始联邦训练。(These types of this site are not "
                f"in the common model, which was begun without them: {', '.join(strange)}.)"
            )
        self._plan, self._dev = plan, bool(dev)
        self._seed = (learning.seed, own_seed)
        self._settings = NerSettings(
            tokens=max(learning.size + 2, plan.share(characters(examples))),
            size=min(learning.size, plan.shape.max_position_embeddings - 2),
            hidden=learning.hidden,
            numbers="f32",
        )
        model = SpanModel(plan.shape, plan.span, learning.dropout)
        self._task = SpanTask(model, plan.vocabulary, plan.span, examples, dev, self._settings)
        self._optimizer = adamw(
            self._task.model,
            lambda name: learning.rate if name.startswith(PREFIX) else learning.head_rate,
            learning.decay,
        )
        steps = sum(1 for _ in self._task.batches(np.random.default_rng(learning.seed)))
        self._steps = max(1, round(steps * learning.epochs))
        self._stream = self._batches()
        self._taken = 0

    def score(self, weights: Weights) -> Counts | None:
        """As `Learner.score`."""
        if not self._dev:
            return None
        self._take(weights)
        self._task.model.eval()
        return scored.of(self._task.at_thresholds())

    def learn(self, weights: Weights, number: int) -> Learnt:
        """Learn from ``weights`` for round ``number`` (from 1).

        Raises:
            TrainingInvalid: the loss is no number any more.
        """
        learning = self._plan.learning
        self._take(weights)
        seed(int(np.random.SeedSequence([*self._seed, number]).generate_state(1)[0]))
        first = {n: p.detach().clone() for n, p in self._task.model.named_parameters()}
        step, total = (number - 1) * self._steps, 0.0
        begun = step
        # A site that was away goes on where it would be: each document is seen as often.
        left_out = step - self._taken
        for batch in itertools.islice(self._stream, left_out, left_out + self._steps):
            total += self._step(batch, step, first)
            step += 1
        self._taken = step
        change = difference(self.weights(), weights)
        if learning.clip:
            change = clipped(change, learning.clip)
        return Learnt(change, total / max(1, step - begun), step - begun)

    def _batches(self) -> Iterator[Batch]:
        """Pass after pass over the documents, without an end."""
        for number in itertools.count():
            yield from self._task.batches(np.random.default_rng([*self._seed, number]))

    def weights(self) -> Weights:
        """The model's parameters as they are."""
        return weights_of(self._task.model)

    def _step(self, batch: Any, step: int, first: dict[str, Any]) -> float:
        learning, model = self._plan.learning, self._task.model
        model.train()
        loss = self._task.loss(batch)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if learning.mu:
            for name, parameter in model.named_parameters():
                if parameter.grad is not None:
                    parameter.grad.add_(parameter.detach() - first[name], alpha=learning.mu)
        clip(model.parameters())
        every = self._steps * learning.rounds
        warm_and_fall(self._optimizer, min(step, every), every, learning.warm)
        self._optimizer.step()
        value = float(loss.detach())
        if not np.isfinite(value):
            raise TrainingInvalid(
                "损失不是数值，请降低学习率。(The loss is no number; begin again with a lower "
                "--rate.)"
            )
        return value

    def _take(self, weights: Weights) -> None:
        with torch.no_grad():
            for name, parameter in self._task.model.named_parameters():
                parameter.copy_(torch.from_numpy(weights[name]))


def _ner(plan: Plan) -> NerPlan:
    if not isinstance(plan, NerPlan):
        raise TrainingInvalid(
            "协调方在训练语言模型，请用 bedside federated lm site。(The coordinator tunes a "
            "language model: use `bedside federated lm site`.)"
        )
    return plan


def characters(examples: Sequence[Example]) -> int:
    """The length of all texts."""
    return sum(len(example.text) for example in examples)


def weights_of(model: Any) -> Weights:
    """A model's parameters in numpy, by name."""
    return {
        name: value.detach().cpu().numpy().astype(np.float32, copy=True)
        for name, value in model.named_parameters()
    }


def begin(plan: NerPlan, tensors: dict[str, Any] | None = None) -> Weights:
    """The first common weights: by chance from the plan's seed, ``tensors`` of an encoder in."""
    from assistant.training.model import load

    seed(plan.learning.seed)
    model = SpanModel(plan.shape, plan.span, plan.learning.dropout)
    if tensors:
        load(model, tensors)
    return weights_of(model)


def write(
    folder: Path, weights: Weights, plan: NerPlan, above: float, f1: float | None = None
) -> None:
    """The common model as a folder that `bedside train export` and `score` take.

    ``f1``: its micro-F1 on the dev sets of all sites, where it is known.
    """
    facts: dict[str, Any] = {"rounds": plan.learning.rounds, "seed": plan.learning.seed}
    if f1 is not None:
        facts["dev_micro_f1"] = round(f1, 4)
    tensors = {name: torch.from_numpy(value) for name, value in weights.items()}
    head = replace(plan.span, above=above)
    export.write(folder, tensors, plan.shape, plan.vocabulary, head, {"federated": facts})
