"""The plan of entity recognition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from assistant.training.federated import scored
from assistant.training.federated.plan import Counts, Learning, Plan, Task
from serving.encoder.shape import Shape, SpanShape
from serving.encoder.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class NerPlan(Plan):
    """See `Plan`; ``pieces`` and ``cut``: how text is cut, the same at every site."""

    task: ClassVar[Task] = "ner"
    measure: ClassVar[str] = "F1"
    learning: Learning
    shape: Shape
    span: SpanShape
    pieces: tuple[str, ...]
    cut: Mapping[str, Any] = field(default_factory=dict)
    characters: int = 1

    @property
    def vocabulary(self) -> Vocabulary:
        """How text is cut."""
        return Vocabulary(self.pieces, **self.cut)

    def strange(self, types: Sequence[str]) -> list[str]:
        """Those types that the model was begun without."""
        return sorted(set(types) - set(self.span.labels))

    def checked(self, counts: Any) -> Counts:
        """As `scored.checked`."""
        return scored.checked(counts)

    def best(self, counts: Sequence[Counts]) -> tuple[float, float]:
        """As `scored.best`."""
        return scored.best(counts)

    def as_json(self) -> dict[str, Any]:
        """For `from_json`."""
        return {"task": self.task, **asdict(self)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> NerPlan:
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
