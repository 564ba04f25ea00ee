"""Which part of each layer is computed, a few slices at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.vision.chain import Stage
from serving.vision.layer_graph import SLICES
from serving.vision.region import Rect, Tissue, shared_sizes, totals

_ROUND = 16


@dataclass(frozen=True, slots=True)
class Job:
    """Slices ``start`` to ``stop`` of one layer; ``size`` is what is computed for ``rect``."""

    start: int
    stop: int
    rect: Rect | None
    needed: Rect | None
    size: tuple[int, int]


def planned(groups: Sequence[Sequence[Stage]], tissue: Tissue, compiling: float) -> list[list[Job]]:
    """The jobs of each layer; ``compiling``: voxels that are computed while a size is compiled."""
    before, after = totals([group[0].reach for group in groups])
    depth, height, width = tissue.shape
    low, high = tissue.slices
    plan = []
    for behind, ahead in zip(before, after, strict=True):
        first, end = max(low - ahead[0], 0), min(high + ahead[0], depth)
        parts = [
            (start, min(start + SLICES, end))
            for start in range(first, end if high > low else first, SLICES)
        ]
        rects = [tissue.to_compute(start, stop, behind, ahead) for start, stop in parts]
        if any(2 * far + 1 > n for far, n in zip(behind, tissue.shape, strict=True)):
            # No voxel is out of reach of every edge.
            rects = [(needed, needed) for _, needed in rects]
        sizes = [_rounded(one, height, width) for one, _ in rects]
        chosen = shared_sizes([one for one in sizes if one[0]], compiling / SLICES)
        plan.append(
            [
                Job(start, stop, rect, needed, chosen.get(size, size))
                for (start, stop), (rect, needed), size in zip(parts, rects, sizes, strict=True)
            ]
        )
    return plan


def _rounded(rect: Rect | None, height: int, width: int) -> tuple[int, int]:
    if rect is None:
        return 0, 0
    rows, columns = (-(-one // _ROUND) * _ROUND for one in rect.size)
    return min(rows, height), min(columns, width)
