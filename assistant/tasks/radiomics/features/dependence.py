"""Neighbouring grey level dependence: distance 1, coarseness 0 (IBSI, 3.11)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assistant.tasks.radiomics.features.counts import Cells, gathered
from assistant.tasks.radiomics.features.emphases import Names, averaged, emphases
from assistant.tasks.radiomics.features.merging import merge
from assistant.tasks.radiomics.features.neighbours import half, pair, slice_numbers
from assistant.tasks.radiomics.region import Levels

NAMES = Names(
    *(
        f"ngl_{name}"
        for name in (
            "lde hde lgce hgce ldlge ldhge hdlge hdhge glnu glnu_norm dcnu dcnu_norm dc_perc gl_var"
            " dc_var dc_entr dc_energy"
        ).split()
    )
)


def dependence(levels: Levels, ways: Sequence[str]) -> dict[str, float]:
    """The features with their way (2D, 2_5D, 3D) in the name, as ``ngl_lde_3D``."""
    found: dict[str, float] = {}
    for by_slice in sorted({way != "3D" for way in ways}):
        cells = _cells(levels, by_slice)
        for way in (w for w in ways if (w != "3D") == by_slice):
            # Every voxel is counted: as many as there could be.
            joined, _ = merge(cells, 1, "2D_avg" if way == "2D" else "3D_comb")
            values = averaged(emphases(joined, joined.totals, NAMES))
            found |= {f"{name}_{way}": value for name, value in values.items()}
    return found


def _cells(levels: Levels, by_slice: bool) -> Cells:
    """By slice: grey level against how many voxels of a neighbourhood, its centre with them, have
    the level of the centre."""
    array = levels.array
    inside = array > 0
    alike = np.ones(array.shape, np.int64)
    for direction in half(by_slice):
        here, there = pair(array, direction)
        same = (here == there) & (here > 0)
        first, second = pair(alike, direction)
        first += same
        second += same
    slices = array.shape[0] if by_slice else 1
    matrix = slice_numbers(array.shape)[inside] if by_slice else np.zeros(inside.sum(), np.int64)
    return gathered(matrix, array[inside].astype(np.int64), alike[inside], None, slices)
