"""Tuning of a language model at one site: the adapter is what is learnt and what leaves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from assistant.training.dataset import DatasetInvalid
from assistant.training.federated.averaging import clipped
from assistant.training.federated.lm_plan import LmPlan
from assistant.training.federated.members import Joined
from assistant.training.federated.message import Weights, difference
from assistant.training.federated.party import Learnt
from assistant.training.federated.plan import Counts, Plan
from assistant.training.lm import adapter
from assistant.training.lm.base_model import Base
from assistant.training.lm.lines import Row
from assistant.training.lm.run import Run, coded
from assistant.training.lm.settings import LmSettings
from assistant.training.lm.tokens import Coder
from assistant.training.optimisation import TrainingInvalid


@dataclass(frozen=True, slots=True)
class LmParty:
    """A site with ``rows`` to learn and rows ``held`` out, and the ``base`` that all have;
    ``source``: the base's folder, ``own_seed`` tells sites of one process apart."""

    base: Base
    source: Path
    rows: Sequence[Row]
    held: Sequence[Row]
    own_seed: int = 0

    def said(self) -> Joined:
        """As `Party.said`."""
        if not self.rows:
            raise DatasetInvalid("没有可学习的行。(There is no line to learn from.)")
        return Joined(len(self.rows), characters(self.rows), base=self.base.fingerprint)

    def learner(self, plan: Plan) -> LocalLm:
        """As `Party.learner`."""
        return LocalLm(_lm(plan), self)

    def write(self, folder: Path, weights: Weights, plan: Plan, above: float) -> None:
        """As `Party.write`; ``above`` means nothing here."""
        write(folder, weights, _lm(plan), self.base, self.source)


class LocalLm:
    """One site's learning."""

    def __init__(self, plan: LmPlan, party: LmParty) -> None:
        learning = plan.learning
        coder = Coder(party.base.tokenizer, plan.length)
        of_site = int(np.random.SeedSequence([learning.seed, party.own_seed]).generate_state(1)[0])
        settings = _settings(
            plan,
            tokens=plan.share(characters(party.rows)),
            epochs=math.ceil(learning.rounds * learning.epochs),
            seed=of_site,
        )
        rows = coded(party.rows, coder, settings)
        if not rows:
            raise TrainingInvalid("没有可学习的内容。(Nothing of the data is learned.)")
        held = coded(party.held, coder, settings)
        self._run = Run(party.base, rows, held, coder.pad, settings)
        self._clip = learning.clip
        self._steps = max(1, self._run.batches.steps // learning.rounds)

    def score(self, weights: Weights) -> Counts | None:
        """As `Learner.score`: the tokens learned of the rows held out, and their negative
        log-likelihood."""
        tokens = self._run.held_tokens
        if not tokens:
            return None
        adapter.restore(self._run.model, _tensors(weights))
        return [[float(tokens), self._run.held_out() * tokens]]

    def learn(self, weights: Weights, number: int) -> Learnt:
        """As `Learner.learn`."""
        adapter.restore(self._run.model, _tensors(weights))
        first = (number - 1) * self._steps
        total = sum(self._run.step(step)[0] for step in range(first, first + self._steps))
        change = difference(weights_of(self._run.model), weights)
        if self._clip:
            change = clipped(change, self._clip)
        return Learnt(change, total / self._steps, self._steps)


def begin(plan: LmPlan, base: Base) -> Weights:
    """The first common adapter: by chance from the plan's seed, and no change of the base."""
    model = adapter.adapted(base.model, _settings(plan))
    weights = weights_of(model)
    # The base is as it was: whoever holds it may put the next adapter on it.
    model.unload()
    return weights


def write(folder: Path, weights: Weights, plan: LmPlan, base: Base, source: Path) -> None:
    """The common adapter as PEFT writes it, which `bedside model convert --adapter` takes."""
    model = adapter.adapted(base.model, _settings(plan))
    adapter.restore(model, _tensors(weights))
    adapter.write(model, folder, source)
    model.unload()


def characters(rows: Sequence[Row]) -> int:
    """The length of all that the rows say."""
    return sum(len(row.content) for row in rows)


def weights_of(model: torch.nn.Module) -> Weights:
    """The adapter's weights in numpy, by name."""
    return {
        name: value.detach().float().cpu().numpy().copy()
        for name, value in adapter.trained(model).items()
    }


def _tensors(weights: Weights) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(value) for name, value in weights.items()}


def _settings(
    plan: LmPlan, tokens: int = 64, epochs: int = 1, seed: int | None = None
) -> LmSettings:
    learning = plan.learning
    return LmSettings(
        epochs=epochs,
        tokens=tokens,
        length=plan.length,
        rank=plan.rank,
        alpha=plan.alpha,
        targets=plan.targets,
        rate=learning.rate,
        warm=learning.warm,
        decay=learning.decay,
        seed=learning.seed if seed is None else seed,
    )


def _lm(plan: Plan) -> LmPlan:
    if not isinstance(plan, LmPlan):
        raise TrainingInvalid(
            "协调方在训练实体识别，请用 bedside federated site。(The coordinator trains entity "
            "recognition: use `bedside federated site`.)"
        )
    return plan
