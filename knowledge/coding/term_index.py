"""Standard terms found by the character n-grams that they share with a wording.

Three views of one overlap, each weighted by inverse document frequency: what share both have in
common (Dice), how much of the term the wording holds, how much of the wording the term explains.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def _pairs(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """Every n-gram of each text once, as (its code, the number of the text), sorted by both.

    The code holds the code points of up to three characters, each plus one, in 21 bits.
    """
    joined = "".join(texts).encode("utf-32-le", "surrogatepass")
    points = np.frombuffer(joined, np.uint32).astype(np.uint64) + np.uint64(1)
    numbers = np.repeat(np.arange(len(texts), dtype=np.int32), [len(text) for text in texts])
    codes, rows, code = [points], [numbers], points
    for size in (2, 3):
        code = code[:-1] << np.uint64(21) | points[size - 1 :]
        inside = numbers[: len(code)] == numbers[size - 1 :]
        codes.append(code[inside])
        rows.append(numbers[: len(code)][inside])
    found, row = np.concatenate(codes), np.concatenate(rows)
    order = np.argsort(found, kind="stable")
    found, row = found[order], row[order]
    fresh = np.append(True, (found[1:] != found[:-1]) | (row[1:] != row[:-1]))[: len(found)]
    return found[fresh], row[fresh]


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
        listed = list(texts)
        self._count = len(listed)
        codes, self._rows = _pairs(listed)
        self._codes, starts = np.unique(codes, return_index=True)
        self._starts = np.append(starts, len(codes))
        counts = np.diff(self._starts)
        self._idf: Floats = np.asarray(np.log(1 + self._count / counts), np.float64)
        shares = np.repeat(self._idf, counts)
        sums = np.bincount(self._rows, shares, minlength=self._count)
        self.weights: Floats = np.asarray(1e-9 + sums, np.float64)

    def __len__(self) -> int:
        return self._count

    def overlap(self, text: str) -> Overlap:
        """The overlap of ``text`` with every text of the index."""
        shared = np.zeros(self._count)
        weight = 1e-9
        wanted, _ = _pairs([text])
        places = np.searchsorted(self._codes, wanted)
        for code, place in zip(wanted, places, strict=True):
            if place == len(self._codes) or self._codes[place] != code:
                weight += _UNKNOWN * float(np.log(1 + self._count))
            else:
                idf = float(self._idf[place])
                weight += idf
                shared[self._rows[self._starts[place] : self._starts[place + 1]]] += idf
        return Overlap(
            dice=2 * shared / (weight + self.weights),
            held=shared / self.weights,
            explained=shared / weight,
        )
