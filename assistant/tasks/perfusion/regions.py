"""Parts of the brain and the medians of the maps in them, left against right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Mask
from assistant.tasks.perfusion.lesion import Lesion
from assistant.tasks.perfusion.region import MEASURED, Region, Values
from assistant.tasks.perfusion.symmetry import Midline

THIRDS = (("anterior", "前部"), ("middle", "中部"), ("posterior", "后部"))
_LEAST = 20
"""Voxels; fewer have no median to speak of."""


def regions(
    maps: Mapping[str, NDArray[np.float32]],
    tissue: Mask,
    line: Midline,
    front: NDArray[np.float64],
    found: Lesion,
    voxel_ml: float,
) -> list[Region]:
    """The halves, their thirds from front to back, and the lesion.

    ``front``: of each voxel, how far in front it lies (any unit).
    """
    left = line.left(tissue.shape)
    listed = []
    for name, name_zh, mask, mirror in _parts(tissue, line, front, found):
        values = _values(maps, mask)
        if values is None:
            continue
        both = mask if mirror is None else mask | (mirror & tissue)
        sides = [_values(maps, both & side) for side in (left, ~left)]
        listed.append(
            Region(
                name=name,
                name_zh=name_zh,
                volume_ml=float(mask.sum()) * voxel_ml,
                **values.model_dump(),
                left=sides[0],
                right=sides[1],
                ratio=_ratio(*sides),
            )
        )
    return listed


def _parts(
    tissue: Mask, line: Midline, front: NDArray[np.float64], found: Lesion
) -> Iterator[tuple[str, str, Mask, Mask | None]]:
    yield "hemisphere", "半球", tissue, None
    if tissue.any():
        low, high = np.percentile(front[tissue], [100 / 3, 200 / 3])
        thirds = (front > high, (front <= high) & (front > low), front <= low)
        for (name, name_zh), part in zip(THIRDS, thirds, strict=True):
            yield name, name_zh, tissue & part, None
    penumbra = found.hypoperfused & ~found.core
    for name, name_zh, mask in (
        ("core", "梗死核心", found.core),
        ("penumbra", "低灌注（核心以外）", penumbra),
    ):
        if mask.any():
            mirror = np.asarray(line.mirrored(mask), bool) & ~found.hypoperfused
            yield name, name_zh, mask, mirror


def _values(maps: Mapping[str, NDArray[np.float32]], mask: Mask) -> Values | None:
    if mask.sum() < _LEAST:
        return None
    return Values(**{name: float(np.median(maps[name][mask])) for name in MEASURED})


def _ratio(left: Values | None, right: Values | None) -> dict[str, float]:
    if left is None or right is None:
        return {}
    pairs = {name: (getattr(left, name), getattr(right, name)) for name in MEASURED}
    return {name: a / b for name, (a, b) in pairs.items() if abs(b) > 1e-6}
