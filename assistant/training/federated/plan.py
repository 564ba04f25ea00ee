"""What the coordinator tells every site: the model's form, how to learn, how a score is read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from assistant.training.steps import StepSettings

Task = Literal["ner", "lm"]
Counts = list[list[float]]
"""Numbers of a site's dev set, added up over sites; none of its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning(StepSettings):
    """How a site learns; ``tokens`` a step if one site had all texts: each takes its share, so
    that large and small sites take about as many steps.

    ``rounds`` of ``epochs`` each, or of a part of one: the oftener weights are averaged, the nearer
    the sites come to pooled data; ``mu``: the pull back to the common weights (FedProx, Li et al.
    2020; 0: FedAvg); ``clip``: the longest change that may leave, 0 for any.

    What is of an encoder and its head means nothing to a language model.
    """

    rounds: int = 20
    epochs: float = 1.0
    mu: float = 0.0
    clip: float = 0.0


class Plan(ABC):
    """Of one training; ``characters``: the length of the texts of all sites together."""

    task: ClassVar[Task]
    measure: ClassVar[str]
    """What `best` tells, in a word."""
    learning: Learning
    characters: int

    def share(self, characters: int) -> int:
        """Tokens a step of a site that has so many characters of text."""
        return max(64, round(self.learning.tokens * characters / max(1, self.characters)))

    @abstractmethod
    def strange(self, types: Sequence[str]) -> list[str]:
        """Those types that the model was begun without."""

    @abstractmethod
    def checked(self, counts: Any) -> Counts:
        """Counts as a site sends them.

        Raises:
            MessageInvalid: they are none, or cannot be true.
        """

    @abstractmethod
    def best(self, counts: Sequence[Counts]) -> tuple[float, float]:
        """The threshold that is best for all sites together, and the score with it, 0 to 1."""

    @abstractmethod
    def as_json(self) -> dict[str, Any]:
        """For `plans.read`, with its ``task``."""
