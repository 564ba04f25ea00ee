"""Grey level run lengths (IBSI, 3.7)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Floats
from assistant.tasks.radiomics.features.counts import Cells, Ints, gathered
from assistant.tasks.radiomics.features.emphases import Names, averaged, emphases
from assistant.tasks.radiomics.features.merging import merge
from assistant.tasks.radiomics.features.neighbours import Direction, half
from assistant.tasks.radiomics.region import Levels
from assistant.tasks.radiomics.settings import Aggregation

NAMES = Names(
    *(
        f"rlm_{name}"
        for name in (
            "sre lre lgre hgre srlge srhge lrlge lrhge glnu glnu_norm rlnu rlnu_norm r_perc gl_var"
            " rl_var rl_entr"
        ).split()
    )
)


def run_length(levels: Levels, aggregations: Sequence[Aggregation]) -> dict[str, float]:
    """The features with their way of aggregation in the name, as ``rlm_sre_3D_avg``."""
    found: dict[str, float] = {}
    flat = {by_slice: _runs(levels, by_slice) for by_slice in {a[0] == "2" for a in aggregations}}
    for aggregation in aggregations:
        cells, directions, voxels = flat[aggregation[0] == "2"]
        joined, counted = merge(cells, directions, aggregation, voxels)
        values = averaged(emphases(joined, counted, NAMES))
        found |= {f"{name}_{aggregation}": value for name, value in values.items()}
    return found


def _runs(levels: Levels, by_slice: bool) -> tuple[Cells, int, Floats]:
    """Runs by slice and direction, how many directions, and the voxels of each matrix."""
    directions = half(by_slice)
    padded = np.pad(levels.array, 1)
    voxel = np.flatnonzero(padded)
    where = np.array(np.unravel_index(voxel, padded.shape))
    level = padded.ravel()[voxel].astype(np.int64)
    slices = levels.array.shape[0] if by_slice else 1
    of_slice = where[0] - 1 if by_slice else np.zeros(len(voxel), np.int64)
    parts: list[tuple[Ints, Ints, Ints]] = []
    for number, direction in enumerate(directions):
        start, length = _lengths(padded, where, direction)
        matrix = of_slice[start] * len(directions) + number
        parts.append((matrix, level[start], length))
    matrix, row, column = (np.concatenate([p[i] for p in parts]) for i in range(3))
    cells = gathered(matrix, row, column, None, slices * len(directions))
    voxels = np.repeat(np.bincount(of_slice, minlength=slices), len(directions))
    return cells, len(directions), voxels.astype(float)


def _lengths(padded: NDArray[np.int32], where: Ints, direction: Direction) -> tuple[Ints, Ints]:
    """The voxels (by their place in ``where``) at which runs start, and how long these are.

    Along a direction the voxels of a line follow each other at a fixed distance in the flat array,
    so the runs of a line are told apart once its voxels stand in order.
    """
    z, y, x = direction
    flat = np.ravel_multi_index((where[0], where[1], where[2]), padded.shape)
    step = (z * padded.shape[1] + y) * padded.shape[2] + x
    # The voxels of a line have the same remainder; the empty border keeps lines apart that have it
    # by chance.
    order = np.argsort(flat % step, kind="stable")
    grey, ordered = padded.ravel(), flat[order]
    starts = np.flatnonzero(grey[ordered - step] != grey[ordered])
    return order[starts], np.diff(np.append(starts, len(ordered)))
