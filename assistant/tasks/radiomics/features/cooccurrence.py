"""Grey level co-occurrence, distance 1 (IBSI, 3.6)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.feature import described
from assistant.tasks.radiomics.features.counts import (
    Cells,
    Ints,
    counted,
    entropy,
    gathered,
    marginal,
    summed,
)
from assistant.tasks.radiomics.features.emphases import averaged
from assistant.tasks.radiomics.features.merging import merge
from assistant.tasks.radiomics.features.neighbours import half, pair
from assistant.tasks.radiomics.region import Levels
from assistant.tasks.radiomics.settings import Aggregation

_NAMES = tuple(row.tag for row in described().values() if row.family == "glcm")


def cooccurrence(levels: Levels, aggregations: Sequence[Aggregation]) -> dict[str, float]:
    """The features with their way of aggregation in the name, as ``cm_contrast_3D_avg``."""
    found: dict[str, float] = {}
    flat = {by_slice: _pairs(levels, by_slice) for by_slice in {a[0] == "2" for a in aggregations}}
    for aggregation in aggregations:
        cells, directions = flat[aggregation[0] == "2"]
        joined, _ = merge(cells, directions, aggregation)
        if joined.matrices:
            values = averaged(features(joined, levels.count))
        else:
            # No two voxels of the region are neighbours.
            values = dict.fromkeys(_NAMES, math.nan)
        found |= {f"{name}_{aggregation}": value for name, value in values.items()}
    return found


def _pairs(levels: Levels, by_slice: bool) -> tuple[Cells, int]:
    """The matrix of each slice and direction (slice · directions + direction), symmetric."""
    directions = half(by_slice)
    array, base = levels.array.astype(np.int64), levels.count + 1
    slices = array.shape[0] if by_slice else 1
    parts: list[tuple[Ints, Ints, Ints, Floats]] = []
    for number, direction in enumerate(directions):
        here, there = pair(array, direction)
        both = (here > 0) & (there > 0)
        keys = here[both] * base + there[both]
        if by_slice:
            keys += np.nonzero(both)[0] * base * base
        cells, counts = counted(keys, None, slices * base * base)
        matrix = cells // (base * base) * len(directions) + number
        row, column = cells // base % base, cells % base
        parts += [(matrix, row, column, counts), (matrix, column, row, counts)]
    matrix, row, column = (np.concatenate([p[i] for p in parts]) for i in range(3))
    count = np.concatenate([p[3] for p in parts])
    return gathered(matrix, row, column, count, slices * len(directions)), len(directions)


def features(cells: Cells, levels: int) -> dict[str, Floats]:
    """The features of each of several symmetric matrices; none is empty.

    ``levels``: how many grey levels there are, for the normalised inverse differences.
    """
    number, m = cells.matrices, cells.matrix
    p = cells.count / cells.totals[m]
    i, j = cells.row.astype(float), cells.column.astype(float)
    apart = np.abs(i - j)

    def mean(values: Floats) -> Floats:
        return summed(m, p * values, number)

    mu = mean(i)
    variance = mean((i - mu[m]) ** 2)
    off = mean((i - mu[m]) * (j - mu[m]))
    cluster = i + j - 2 * mu[m]
    mean_apart = mean(apart)
    of_apart, _, p_apart = marginal(m, np.abs(cells.row - cells.column), p, number)
    of_sum, _, p_sum = marginal(m, cells.row + cells.column, p, number)
    squares = apart**2
    near = apart > 0
    biggest = np.zeros(number)
    np.maximum.at(biggest, m, p)
    information = _information(cells, p)
    return {
        "cm_joint_max": biggest,
        "cm_joint_avg": mu,
        "cm_joint_var": variance,
        "cm_joint_entr": entropy(m, p, number),
        "cm_diff_avg": mean_apart,
        "cm_diff_var": mean((apart - mean_apart[m]) ** 2),
        "cm_diff_entr": entropy(of_apart, p_apart, number),
        "cm_sum_avg": mean(i + j),
        "cm_sum_var": mean(cluster**2),
        "cm_sum_entr": entropy(of_sum, p_sum, number),
        "cm_energy": mean(p),
        "cm_contrast": mean(squares),
        "cm_dissimilarity": mean_apart,
        "cm_inv_diff": mean(1 / (1 + apart)),
        "cm_inv_diff_norm": mean(1 / (1 + apart / levels)),
        "cm_inv_diff_mom": mean(1 / (1 + squares)),
        "cm_inv_diff_mom_norm": mean(1 / (1 + squares / levels**2)),
        # Each pair of levels stands twice in a symmetric matrix and counts once.
        "cm_inv_var": summed(m[near], p[near] / squares[near], number),
        "cm_corr": np.divide(off, variance, out=np.ones(number), where=variance > 0),
        "cm_auto_corr": mean(i * j),
        "cm_clust_tend": mean(cluster**2),
        "cm_clust_shade": mean(cluster**3),
        "cm_clust_prom": mean(cluster**4),
    } | information


def _information(cells: Cells, p: Floats) -> dict[str, Floats]:
    """The two measures of information correlation (R8DG, JN9H)."""
    number, m = cells.matrices, cells.matrix
    width = int(cells.row.max()) + 1
    of_row, level, p_row = marginal(m, cells.row, p, number)
    table = np.zeros(number * width)
    table[of_row * width + level] = p_row
    product = table[m * width + cells.row] * table[m * width + cells.column]
    joint = entropy(m, p, number)
    crossed = summed(m, -p * np.log2(product), number)
    single = entropy(of_row, p_row, number)
    first = np.divide(joint - crossed, single, out=np.zeros(number), where=single > 1e-12)
    # Σ px py log(px py) over all pairs is twice the entropy of one.
    second = np.sqrt(np.maximum(1 - np.exp(-2 * (2 * single - joint)), 0))
    return {"cm_info_corr1": first, "cm_info_corr2": second}
