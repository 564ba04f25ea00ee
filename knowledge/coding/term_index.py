"""Standard terms found by the character n-grams that they share with a wording.

Three views of one overlap, each weighted by inverse document frequency: what share both have in
common (Dice), how much of the term the wording holds, how much of the wording the term explains.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_UNKNOWN = 0.3
"""How much an n-gram that no term has counts, of what the rarest known one counts."""
_WHOLE = 30.0
"""A term lighter than this is held by a long wording by chance."""


def grams(text: str) -> frozenset[str]:
    """The characters, bigrams and trigrams of ``text``."""
    return frozenset(
        text[start : start + size] for size in (1, 2, 3) for start in range(len(text) - size + 1)
    )


@dataclass(frozen=True)
class Overlap:
    """How a wording overlaps each of the terms: three arrays ``[terms]``, each in 0 … 1."""

    dice: Floats
    held: Floats
    explained: Floats

    def best(self, by_dice: int, by_held: int, weights: Floats) -> set[int]:
        """The numbers of the best terms by Dice, and by how much of them is held."""
        found = set(_largest(self.dice, by_dice))
        if by_held:
            found |= set(_largest(self.held * np.minimum(1, weights / _WHOLE), by_held))
        return found


def _largest(values: Floats, count: int) -> list[int]:
    count = min(count, len(values))
    if count < 1:
        return []
    numbers = np.argpartition(-values, count - 1)[:count]
    return [int(number) for number in numbers if values[number] > 0]


class TermIndex:
    """Overlaps of any wording with a fixed list of texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        postings: dict[str, list[int]] = defaultdict(list)
        count = 0
        for number, text in enumerate(texts):
            count += 1
            for gram in grams(text):
                postings[gram].append(number)
        self._count = count
        self._idf = {g: float(np.log(1 + count / len(rows))) for g, rows in postings.items()}
        self._postings = {g: np.array(rows, np.int32) for g, rows in postings.items()}
        self.weights: Floats = np.full(count, 1e-9)
        for gram, rows in self._postings.items():
            self.weights[rows] += self._idf[gram]

    def __len__(self) -> int:
        return self._count

    def overlap(self, text: str) -> Overlap:
        """The overlap of ``text`` with every text of the index."""
        shared = np.zeros(self._count)
        weight = 1e-9
        for gram in grams(text):
            idf = self._idf.get(gram)
            if idf is None:
                weight += _UNKNOWN * float(np.log(1 + self._count))
            else:
                weight += idf
                shared[self._postings[gram]] += idf
        return Overlap(
            dice=2 * shared / (weight + self.weights),
            held=shared / self.weights,
            explained=shared / weight,
        )
