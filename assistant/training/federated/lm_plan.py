"""The plan of tuning a language model by LoRA: the base stays, the adapter is averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from assistant.training.federated.message import MessageInvalid
from assistant.training.federated.plan import Counts, Learning, Plan, Task


@dataclass(frozen=True, slots=True)
class LmPlan(Plan):
    """See `Plan`; ``base``: the fingerprint of the model that every site has, ``length`` tokens of
    a line at most."""

    task: ClassVar[Task] = "lm"
    measure: ClassVar[str] = "likelihood of a token"
    learning: Learning
    base: str
    rank: int
    alpha: float
    targets: tuple[str, ...]
    length: int
    characters: int = 1

    def strange(self, types: Sequence[str]) -> list[str]:
        """None: lines have no types."""
        return []

    def checked(self, counts: Any) -> Counts:
        """[[tokens that are learned, their negative log-likelihood in all]].

        Raises:
            MessageInvalid: they are none, or cannot be true.
        """
        try:
            ((tokens, nats),) = counts
            tokens, nats = float(tokens), float(nats)
        except (TypeError, ValueError) as error:
            raise MessageInvalid(_WRONG) from error
        if not (0 < tokens < math.inf and 0 <= nats < math.inf):
            raise MessageInvalid(_WRONG)
        return [[tokens, nats]]

    def best(self, counts: Sequence[Counts]) -> tuple[float, float]:
        """No threshold (0), and the likelihood of a token: exp of its mean logarithm over all
        dev sets, which is one by perplexity."""
        tokens = sum(one[0][0] for one in counts)
        nats = sum(one[0][1] for one in counts)
        return 0.0, math.exp(-nats / tokens) if tokens else 0.0

    def as_json(self) -> dict[str, Any]:
        """For `from_json`."""
        return {"task": self.task, **asdict(self)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> LmPlan:
        """Read `as_json`.

        Raises:
            KeyError, TypeError: it is of another version.
        """
        return cls(
            Learning(**told["learning"]),
            str(told["base"]),
            int(told["rank"]),
            float(told["alpha"]),
            tuple(told["targets"]),
            int(told["length"]),
            int(told["characters"]),
        )


_WRONG = "验证计数不合理。(The counts of the dev set cannot be.)"
