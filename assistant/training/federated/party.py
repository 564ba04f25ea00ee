"""What a site brings to a training of one kind: it says what it has, scores, learns, writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assistant.training.federated.members import Joined
from assistant.training.federated.message import Weights
from assistant.training.federated.plan import Counts, Plan


@dataclass(frozen=True, slots=True)
class Learnt:
    """``change`` of the weights, the mean ``loss``, and the ``steps`` taken."""

    change: Weights
    loss: float
    steps: int


class Learner(Protocol):
    """The learning of one site.  The optimiser's moments stay with it from round to round."""

    def score(self, weights: Weights) -> Counts | None:
        """How the model with ``weights`` does on the site's dev set; None where it has none."""

    def learn(self, weights: Weights, number: int) -> Learnt:
        """Learn from ``weights`` for round ``number`` (from 1).

        Raises:
            TrainingInvalid: the loss is no number any more.
        """


class Party(Protocol):
    """One site."""

    def said(self) -> Joined:
        """What it says of itself.

        Raises:
            DatasetInvalid: there is nothing to learn from.
        """

    def learner(self, plan: Plan) -> Learner:
        """Its learning by ``plan``.

        Raises:
            TrainingInvalid: the plan is of another kind, or does not fit what it has.
        """

    def write(self, folder: Path, weights: Weights, plan: Plan, above: float) -> None:
        """The common model in a folder."""
