"""Precision, recall and F1 over all items of all documents, with the bootstrap over documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from eval.clinical.result import Figure
from eval.clinical.structuring.document import Items
from eval.significance import RESAMPLES, SEED

Floats = npt.NDArray[np.float64]

_BLOCK = 100
_RIGHT, _PREDICTED, _GOLD = range(3)


@dataclass(frozen=True, slots=True)
class Micro:
    """Counts of right, predicted and gold items of one kind, and of each resample of documents.

    ``counts`` is (3,), ``drawn`` (resamples, 3), without rows where there is only one document.
    """

    counts: Floats
    drawn: Floats

    @property
    def right(self) -> int:
        """Predicted items that gold has."""
        return int(self.counts[_RIGHT])

    @property
    def predicted(self) -> int:
        """Predicted items."""
        return int(self.counts[_PREDICTED])

    @property
    def gold(self) -> int:
        """Items of the gold."""
        return int(self.counts[_GOLD])

    def precision(self, name: str, group: str = "") -> Figure:
        """Share of what is predicted that is right, in percent."""
        return self._figure(name, group, (_PREDICTED,), self.predicted)

    def recall(self, name: str, group: str = "") -> Figure:
        """Share of the gold that is predicted, in percent."""
        return self._figure(name, group, (_GOLD,), self.gold)

    def f1(self, name: str, group: str = "") -> Figure:
        """The harmonic mean of both, in percent: 2 right / (predicted + gold)."""
        return self._figure(name, group, (_PREDICTED, _GOLD), self.gold)

    def _figure(self, name: str, group: str, below: tuple[int, ...], n: int) -> Figure:
        value = _percent(self.counts[None], below)
        drawn = _percent(self.drawn, below)
        low = high = None
        if len(drawn):
            low, high = (round(float(end), 4) for end in np.percentile(drawn, (2.5, 97.5)))
        score = round(float(value[0]), 4) if len(value) else 0.0
        return Figure(name=name, value=score, low=low, high=high, n=n, group=group)


def _percent(counts: Floats, below: tuple[int, ...]) -> Floats:
    """``counts`` (n, 3) → percent, without rows that have nothing to count."""
    total = counts[:, below].sum(axis=1)
    some = total > 0
    return np.asarray(100 * len(below) * counts[some, _RIGHT] / total[some], np.float64)


def measure(
    gold: Sequence[Items], predicted: Sequence[Items], kinds: Sequence[str]
) -> tuple[Micro, list[Micro]]:
    """(all items together, those of each kind of ``kinds``), one set of items a document.

    ``kinds`` must hold every kind that gold or predictions have.
    """
    places = {kind: place for place, kind in enumerate(kinds)}
    counts = np.zeros((len(gold), len(kinds), 3))
    for row, (wanted, found) in enumerate(zip(gold, predicted, strict=True)):
        for column, items in enumerate((wanted & found, found, wanted)):
            for item in items:
                counts[row, places[item.kind], column] += 1
    drawn = _drawn(counts) if len(gold) > 1 else np.zeros((0, len(kinds), 3))
    each = [Micro(counts[:, k].sum(axis=0), drawn[:, k]) for k in range(len(kinds))]
    return Micro(counts.sum(axis=(0, 1)), drawn.sum(axis=1)), each


def _drawn(counts: Floats) -> Floats:
    """The sums of each resample of documents: (resamples, kinds, 3)."""
    n = len(counts)
    flat = counts.reshape(n, -1)
    rng = np.random.default_rng(SEED)
    shares = np.full(n, 1 / n)
    sums = [rng.multinomial(n, shares, _BLOCK) @ flat for _ in range(RESAMPLES // _BLOCK)]
    return np.asarray(np.concatenate(sums).reshape(RESAMPLES, *counts.shape[1:]), np.float64)
