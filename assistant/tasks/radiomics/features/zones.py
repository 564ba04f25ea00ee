"""Zones of one grey level: their size (GLSZM) and their distance to the border (GLDZM).

IBSI 3.8 and 3.9.  Voxels are connected over faces, edges and corners, the distance to the border
is counted in steps over faces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from assistant.imaging.volume import Mask
from assistant.tasks.radiomics.features.counts import Ints, gathered
from assistant.tasks.radiomics.features.emphases import Names, averaged, emphases
from assistant.tasks.radiomics.features.merging import merge
from assistant.tasks.radiomics.region import Levels

SIZE = Names(
    *(
        f"szm_{name}"
        for name in (
            "sze lze lgze hgze szlge szhge lzlge lzhge glnu glnu_norm zsnu zsnu_norm z_perc gl_var"
            " zs_var zs_entr"
        ).split()
    )
)
DISTANCE = Names(
    *(
        f"dzm_{name}"
        for name in (
            "sde lde lgze hgze sdlge sdhge ldlge ldhge glnu glnu_norm zdnu zdnu_norm z_perc gl_var"
            " zd_var zd_entr"
        ).split()
    )
)


@dataclass(frozen=True, slots=True)
class Zones:
    """(zones,) each: slice, grey level, voxels, least distance to the border of the shape.

    ``voxels`` is of the region by slice.
    """

    slice: Ints
    level: Ints
    size: Ints
    distance: Ints
    voxels: Ints


def zones(levels: Levels, by_slice: bool) -> Zones:
    """The zones of the region, in slices of its own each or in three dimensions."""
    from skimage.measure import label

    array = levels.array
    if by_slice:
        # Empty slices between keep zones within theirs.
        spread = np.zeros((2 * array.shape[0], *array.shape[1:]), array.dtype)
        spread[::2] = array
        numbered = label(spread, background=0, connectivity=3)[::2]
    else:
        numbered = label(array, background=0, connectivity=3)
    inside = array > 0
    zone = numbered[inside].astype(np.int64) - 1
    number = int(zone.max()) + 1
    level, place = np.zeros((2, number), np.int64)
    level[zone] = array[inside]
    of_slice = np.nonzero(inside)[0] if by_slice else np.zeros(len(zone), np.int64)
    place[zone] = of_slice
    distance = np.full(number, np.iinfo(np.int64).max)
    np.minimum.at(distance, zone, to_border(levels.shape_mask, by_slice)[inside])
    slices = array.shape[0] if by_slice else 1
    voxels = np.bincount(of_slice, minlength=slices)
    return Zones(place, level, np.bincount(zone), distance, voxels)


def to_border(mask: Mask, by_slice: bool) -> Ints:
    """Steps over faces to leave ``mask``; the edge of the image is a border too."""
    if not by_slice:
        return _steps(np.pad(mask, 1))[1:-1, 1:-1, 1:-1]
    return np.stack([_steps(np.pad(one, 1))[1:-1, 1:-1] for one in mask])


def _steps(mask: Mask) -> Ints:
    found: Ints = ndimage.distance_transform_cdt(mask, metric="taxicab").astype(np.int64)
    return found


def zone_features(
    levels: Levels, ways: Sequence[str], size: bool = True, distance: bool = True
) -> dict[str, float]:
    """The features with their way (2D, 2_5D, 3D) in the name, as ``szm_sze_3D``."""
    found: dict[str, float] = {}
    for by_slice in sorted({way != "3D" for way in ways}):
        made = zones(levels, by_slice)
        slices = len(made.voxels)
        for names, column, wanted in ((SIZE, made.size, size), (DISTANCE, made.distance, distance)):
            if not wanted:
                continue
            cells = gathered(made.slice, made.level, column, None, slices)
            for way in (w for w in ways if (w != "3D") == by_slice):
                aggregation = "2D_avg" if way == "2D" else "3D_comb"
                joined, voxels = merge(cells, 1, aggregation, made.voxels.astype(float))
                values = averaged(emphases(joined, voxels, names))
                found |= {f"{name}_{way}": value for name, value in values.items()}
    return found
