"""What the coordinator tells every site: the model's form, and how to learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from assistant.training.steps import StepSettings
from serving.encoder.shape import Shape, SpanShape
from serving.encoder.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning(StepSettings):
    """How a site learns; ``tokens`` a step if one site had all texts: each takes its share, so
    that large and small sites take about as many steps.

    ``rounds`` of ``epochs`` each, or of a part of one: the oftener weights are averaged, the nearer
    the sites come to pooled data; ``mu``: the pull back to the common weights (FedProx, Li et al.
    2020; 0: FedAvg); ``clip``: the longest change that may leave, 0 for any.
    """

    rounds: int = 20
    epochs: float = 1.0
    mu: float = 0.0
    clip: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """``characters``: the length of the texts of all sites together."""

    learning: Learning
    shape: Shape
    span: SpanShape
    pieces: tuple[str, ...]
    cut: Mapping[str, Any] = field(default_factory=dict)
    characters: int = 1

    @property
    def vocabulary(self) -> Vocabulary:
        """How text is cut, the same at every site."""
        return Vocabulary(self.pieces, **self.cut)

    def as_json(self) -> dict[str, Any]:
        """For `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Plan:
        """Read `as_json`.

        Raises:
            KeyError, TypeError: it is of another version.
        """
        span = dict(told["span"])
        span["labels"] = tuple(span["labels"])
        return cls(
            Learning(**told["learning"]),
            Shape(**told["shape"]),
            SpanShape(**span),
            tuple(told["pieces"]),
            dict(told["cut"]),
            int(told["characters"]),
        )
