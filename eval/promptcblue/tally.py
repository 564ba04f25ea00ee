"""Metrics as functions of weighted rows, one row a sample.

Weights of 1 give the score; counts drawn with replacement give a bootstrap resample; rows of two
systems one after the other, weighted 1 and 0, give what a paired test needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Tally(ABC):
    """The rows of one task under one metric."""

    def __init__(self, rows: int) -> None:
        self.rows = rows

    @abstractmethod
    def scores(self, weights: Floats) -> Floats:
        """``weights`` (resamples, rows) → scores (resamples,), as a rule between 0 and 1."""

    @property
    @abstractmethod
    def each(self) -> Floats:
        """How good each row is by itself, for listing the worst: (rows,)."""

    def score(self) -> float:
        """The score over all rows."""
        return float(self.scores(np.ones((1, self.rows)))[0])


class SumTally(Tally):
    """A score that depends on the rows' sums alone."""

    def __init__(
        self,
        values: Sequence[Sequence[float]],
        of_sums: Callable[[Floats], Floats],
        each: Callable[[Floats], Floats],
    ) -> None:
        """``values`` (rows, k); ``of_sums`` and ``each`` map (n, k) to (n,)."""
        super().__init__(len(values))
        self._values = np.asarray(values, np.float64)
        self._of_sums = of_sums
        self._each = each

    def scores(self, weights: Floats) -> Floats:
        """See `Tally.scores`."""
        return self._of_sums(weights @ self._values)

    @property
    def each(self) -> Floats:
        """See `Tally.each`."""
        return self._each(self._values)


class LabelTally(Tally):
    """F1 of labels, averaged over classes; None as an answer is wrong and of no class.

    ``weighted`` weighs classes by how often gold has them; ``macro`` counts each class that gold or
    the answers have once.  A class without support scores 0, as scikit-learn's
    ``classification_report(zero_division=0)`` has it.
    """

    def __init__(
        self,
        golds: Sequence[str],
        answers: Sequence[str | None],
        average: Literal["weighted", "macro"],
    ) -> None:
        super().__init__(len(golds))
        classes = {
            label: i for i, label in enumerate(dict.fromkeys([*golds, *filter(None, answers)]))
        }
        self._count = len(classes)
        self._gold = np.array([classes[label] for label in golds], np.int64)
        # The class after the last gathers what was not answered, and is cut off again.
        self._answer = np.array(
            [classes[label] if label else self._count for label in answers], np.int64
        )
        self._average = average

    def scores(self, weights: Floats) -> Floats:
        """See `Tally.scores`."""
        return np.array([self._one(row) for row in weights])

    def _one(self, weights: Floats) -> float:
        gold = np.bincount(self._gold, weights, self._count)
        answered = np.bincount(self._answer, weights, self._count + 1)[:-1]
        hits = np.bincount(self._gold, weights * (self._gold == self._answer), self._count)
        both = gold + answered
        f1 = np.divide(2 * hits, both, out=np.zeros(self._count), where=both > 0)
        if self._average == "weighted":
            return float(f1 @ gold / gold.sum())
        return float(f1.sum() / np.count_nonzero(both))

    @property
    def each(self) -> Floats:
        """See `Tally.each`."""
        return np.asarray(self._gold == self._answer, np.float64)


def micro_f1(golds: Sequence[frozenset[Any]], answers: Sequence[frozenset[Any] | None]) -> Tally:
    """F1 over all items of all samples together; None as an answer is the empty set."""
    counts = []
    for gold, answer in zip(golds, answers, strict=True):
        hits = len(gold & answer) if answer is not None else 0
        # An answer that is missing is never right, not even where nothing was to be found.
        wrong = len(answer) - hits if answer is not None else 0
        counts.append((hits, wrong, len(gold) - hits, float(answer is None)))
    return SumTally(counts, _f1, _f1_of_one)


def _f1(sums: Floats) -> Floats:
    hits, wrong, missed = sums[:, 0], sums[:, 1], sums[:, 2]
    return np.divide(2 * hits, 2 * hits + wrong + missed, out=np.zeros(len(sums)), where=hits > 0)


def _f1_of_one(values: Floats) -> Floats:
    nothing = values[:, :3].sum(axis=1) == 0
    return np.where(nothing, 1.0 - values[:, 3], _f1(values))


def ratio(parts: Sequence[tuple[float, float]]) -> Tally:
    """The sum of the first numbers over the sum of the second: a mean of means by their size."""
    return SumTally(parts, _ratio, _ratio)


def _ratio(sums: Floats) -> Floats:
    return np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(sums)), where=sums[:, 1] != 0)
