"""Strict scores: a span counts where start, end and type are all right, a triple where all its
words are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from assistant.tasks.structuring.decoding import LabelledSpan
from assistant.training.dataset import Example, Label

NONE = "–"
_RESAMPLES, _SEED = 2_000, 20_240_501

# What a span or a triple may need at least; a model that has seen little is too shy at a half.
THRESHOLDS = (0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)


class Scored(Protocol):
    """Anything with a score of 0 to 1."""

    @property
    def score(self) -> float:
        """How sure the model is."""


T = TypeVar("T")
Found = TypeVar("Found", bound=Scored)


@dataclass(slots=True)
class Count:
    """Spans in the data, found, and right."""

    gold: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """Right ones of those found; 0 where none was found."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Right ones of those in the data; 0 where there is none."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        both = self.gold + self.found
        return 2 * self.right / both if both else 0.0

    def __iadd__(self, other: Count) -> Count:
        self.gold += other.gold
        self.found += other.found
        self.right += other.right
        return self


@dataclass(slots=True)
class Scores:
    """Counts by type and by document, and which type was taken for which: (in the data, found) →
    spans of equal ends, or triples of the same two; `NONE` stands for none there."""

    types: dict[str, Count] = field(default_factory=dict)
    documents: list[Count] = field(default_factory=list)
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)

    def micro(self, prefix: str = "") -> Count:
        """All types whose name begins with ``prefix`` together."""
        total = Count()
        for name, count in self.types.items():
            if name.startswith(prefix):
                total += count
        return total

    def interval(self) -> tuple[float, float]:
        """The 95 % percentile interval of micro-F1 by the bootstrap over documents."""
        rows = np.array([(one.right, one.gold + one.found) for one in self.documents], float)
        if len(rows) < 2:
            return 0.0, 1.0
        drawn = np.random.default_rng(_SEED).multinomial(
            len(rows), np.full(len(rows), 1 / len(rows)), _RESAMPLES
        )
        right, both = (drawn @ rows).T
        low, high = np.percentile(2 * right / np.maximum(both, 1), (2.5, 97.5))
        return float(low), float(high)

    def count(self, gold: Set[T], found: Set[T], kind: Callable[[T], str]) -> None:
        """Count one document: what is in both is right; ``kind`` gives the type."""
        document = Count()
        for items, names in ((gold, "gold"), (found, "found"), (gold & found, "right")):
            for name, number in Counter(map(kind, items)).items():
                for count in (self.types.setdefault(name, Count()), document):
                    setattr(count, names, getattr(count, names) + number)
        self.documents.append(document)

    def add(self, gold: Iterable[Label], found: Iterable[Label], types: Iterable[str]) -> None:
        """Count the spans of one document; only ``types`` were annotated in it, others found there
        do not count."""
        named = set(types)
        wanted = set(gold)
        given = {label for label in found if label.type in named}
        for name in named:
            self.types.setdefault(name, Count())
        self.count(wanted, given, lambda label: label.type)
        self.confuse(
            wanted, given, lambda label: label.type, lambda label: (label.start, label.end)
        )

    def confuse(
        self,
        gold: Set[T],
        found: Set[T],
        kind: Callable[[T], str],
        place: Callable[[T], Hashable],
    ) -> None:
        """Count which type was taken for which at one ``place``, in one document."""
        self.confusion.update((kind(item), kind(item)) for item in gold & found)
        by_place: dict[Hashable, list[str]] = {}
        for item in sorted(found - gold, key=kind):
            by_place.setdefault(place(item), []).append(kind(item))
        for item in sorted(gold - found, key=kind):
            others = by_place.get(place(item))
            self.confusion[kind(item), others.pop() if others else NONE] += 1
        for kinds in by_place.values():
            for other in kinds:
                self.confusion[NONE, other] += 1

    def matrix(self, types: Sequence[str]) -> list[list[int]]:
        """Data in rows, found in columns, `NONE` last."""
        names = [*types, NONE]
        return [[self.confusion[row, column] for column in names] for row in names]


def score(examples: Iterable[Example], find: Callable[[str], Iterable[LabelledSpan]]) -> Scores:
    """Strict scores of what ``find`` finds."""
    scores = Scores()
    for example in examples:
        found = [Label(span.start, span.end, span.label) for span in find(example.text)]
        scores.add(example.labels, found, example.annotated)
    return scores


@dataclass(frozen=True, slots=True)
class Chosen:
    """The threshold that is best, and the scores with it."""

    above: float
    scores: Scores


def choose(
    texts: Iterable[str],
    find: Callable[[str], Iterable[Found]],
    count: Callable[[Callable[[str], list[Found]]], Scores],
) -> Chosen:
    """The threshold of `THRESHOLDS` with the best micro-F1; of equals, the one nearest to a half.

    ``find`` gives what scores the lowest of them at least; ``count`` scores a way to find.
    """
    found = {text: list(find(text)) for text in texts}

    def at(above: float) -> Chosen:
        return Chosen(above, count(lambda text: [x for x in found[text] if x.score >= above]))

    return max(map(at, THRESHOLDS), key=lambda one: (one.scores.micro().f1, -abs(one.above - 0.5)))
