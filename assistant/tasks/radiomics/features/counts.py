"""Counting: matrices are kept as their filled cells, since most of their cells are empty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Cells:
    """Filled cells of several matrices: which matrix, row, column, and how often."""

    matrix: Ints
    row: Ints
    column: Ints
    count: Floats
    matrices: int

    def joined(self, into: Ints, matrices: int) -> Cells:
        """Matrices added up: ``into[m]`` is the one that matrix ``m`` becomes a part of."""
        return gathered(into[self.matrix], self.row, self.column, self.count, matrices)

    @property
    def totals(self) -> Floats:
        """(matrices,): the sum of each."""
        return summed(self.matrix, self.count, self.matrices)

    def filled(self) -> Cells:
        """Without empty matrices; the others keep their order."""
        present, matrix = np.unique(self.matrix, return_inverse=True)
        return Cells(matrix, self.row, self.column, self.count, len(present))


def summed(index: Ints, weights: Floats, size: int) -> Floats:
    """(size,): the sums of ``weights`` by ``index``."""
    return np.bincount(index, weights, size)


def gathered(matrix: Ints, row: Ints, column: Ints, count: Floats | None, matrices: int) -> Cells:
    """Equal cells counted together.  ``count``: how often each is there; None: once."""
    if not len(matrix):
        empty = np.empty(0, np.int64)
        return Cells(empty, empty, empty, np.empty(0), matrices)
    height, width = int(row.max()) + 1, int(column.max()) + 1
    keys = (matrix * height + row) * width + column
    found, sums = counted(keys, count, matrices * height * width)
    return Cells(found // (height * width), found // width % height, found % width, sums, matrices)


def counted(keys: Ints, weights: Floats | None, size: int) -> tuple[Ints, Floats]:
    """The keys that occur, in order, and the sums of their weights; ``size`` is above all keys."""
    if size <= 4 * len(keys) + 65_536:
        sums = np.bincount(keys, weights, size)
        seen = np.flatnonzero(sums if weights is None else np.bincount(keys, None, size))
        return seen, sums[seen].astype(np.float64)
    if weights is None:
        seen, amounts = np.unique(keys, return_counts=True)
        return seen, amounts.astype(np.float64)
    seen, inverse = np.unique(keys, return_inverse=True)
    return seen, np.bincount(inverse, weights, len(seen))


def marginal(matrix: Ints, value: Ints, weights: Floats, matrices: int) -> tuple[Ints, Ints, Floats]:
    """(matrix, value, sum) for each value that a matrix has."""
    width = int(value.max()) + 1 if len(value) else 1
    keys, sums = counted(matrix * width + value, weights, matrices * width)
    return keys // width, keys % width, sums


def entropy(matrix: Ints, shares: Floats, matrices: int) -> Floats:
    """(matrices,): −Σ p log2 p over each matrix's shares."""
    kept = shares > 0
    parts = -shares[kept] * np.log2(shares[kept])
    return summed(matrix[kept], parts, matrices)
