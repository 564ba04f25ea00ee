"""What run lengths, zone sizes, zone distances and dependences have in common.

Each is a matrix of grey levels against a size, so each has the same emphases, non-uniformities and
variances, under names of its own (IBSI reference manual, 3.7 to 3.9 and 3.11).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.features.counts import Cells, entropy, marginal, summed


@dataclass(frozen=True, slots=True)
class Names:
    """The tags of one family; an empty one is no feature of it."""

    small: str
    large: str
    low_level: str
    high_level: str
    small_low: str
    small_high: str
    large_low: str
    large_high: str
    level_uniformity: str
    level_uniformity_share: str
    size_uniformity: str
    size_uniformity_share: str
    percentage: str
    level_variance: str
    size_variance: str
    entropy: str
    energy: str = ""


def emphases(cells: Cells, voxels: Floats, names: Names) -> dict[str, Floats]:
    """The features of each matrix, (matrices,) each.

    ``cells``: rows are grey levels, columns sizes, both from 1; no matrix is empty.  ``voxels``:
    how many voxels each matrix could have counted.
    """
    number, m = cells.matrices, cells.matrix
    total = cells.totals
    share = cells.count / total[m]
    level, size = cells.row.astype(float), cells.column.astype(float)

    def mean(values: Floats) -> Floats:
        return summed(m, share * values, number)

    level2, size2 = level**2, size**2
    of_level, _, level_sums = marginal(m, cells.row, cells.count, number)
    of_size, _, size_sums = marginal(m, cells.column, cells.count, number)
    level_squares = summed(of_level, level_sums**2, number)
    size_squares = summed(of_size, size_sums**2, number)
    mean_level, mean_size = mean(level), mean(size)
    found = {
        names.small: mean(1 / size2),
        names.large: mean(size2),
        names.low_level: mean(1 / level2),
        names.high_level: mean(level2),
        names.small_low: mean(1 / (size2 * level2)),
        names.small_high: mean(level2 / size2),
        names.large_low: mean(size2 / level2),
        names.large_high: mean(size2 * level2),
        names.level_uniformity: level_squares / total,
        names.level_uniformity_share: level_squares / total**2,
        names.size_uniformity: size_squares / total,
        names.size_uniformity_share: size_squares / total**2,
        names.percentage: total / voxels,
        names.level_variance: mean((level - mean_level[m]) ** 2),
        names.size_variance: mean((size - mean_size[m]) ** 2),
        names.entropy: entropy(m, share, number),
        names.energy: summed(m, share**2, number),
    }
    found.pop("", None)
    return found


def averaged(values: dict[str, Floats]) -> dict[str, float]:
    """The mean over matrices of each feature."""
    return {name: float(np.mean(found)) for name, found in values.items()}
