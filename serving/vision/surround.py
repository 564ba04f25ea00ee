"""What the layers have where an image is nothing but background: no voxel of it is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.vision.chain import Stage
from serving.vision.compiled import Piece, compile_model
from serving.vision.layer_graph import Numbers, graph, packed
from serving.vision.layer_plan import Job
from serving.vision.region import totals


@dataclass(frozen=True, slots=True)
class Surround:
    """A layer's values for an image of nothing but background, by the distance from the edges.

    ``values`` [slice, row, column, channel] are of an image just so large that its middle voxel is
    beyond the reach of every edge.
    """

    values: NDArray[Any]
    shape: tuple[int, ...]

    def part(self, slices: slice, rows: slice, columns: slice) -> NDArray[Any]:
        """The values for a part of an image of ``shape``."""
        places = []
        for axis, wanted in enumerate((slices, rows, columns)):
            middle = self.values.shape[axis] // 2
            index = np.arange(wanted.start, wanted.stop)
            from_end = index - self.shape[axis] + self.values.shape[axis]
            places.append(np.maximum(np.minimum(index, middle), from_end))
        found: NDArray[Any] = self.values[np.ix_(*places)]
        return found


def surrounds(
    groups: Sequence[Sequence[Stage]],
    plan: Sequence[Sequence[Job]],
    shape: tuple[int, ...],
    background: float,
    numbers: Numbers,
    threads: int,
) -> list[Surround]:
    """The surround of every layer up to the last that has one."""
    used = [at for at, jobs in enumerate(plan) if any(one.rect != one.needed for one in jobs)]
    if not used:
        return []
    before, _ = totals([group[0].reach for group in groups])
    far = before[used[-1]]
    size = 2 * far[0] + 1, 2 * far[1] + 1, 2 * far[2] + 1
    values = packed(np.full((*size, 1), background, np.float32), numbers.of(0))
    found = []
    for number, group in enumerate(groups[: used[-1] + 1]):
        kind = numbers.of(number)
        made = graph(group, size, kind, numbers.of(number + 1), False)
        piece = Piece(compile_model(made, kind, threads))
        inside = tuple(slice(r, r + n) for r, n in zip(group[0].reach, size, strict=True))
        piece.given[0][inside] = values
        values = piece.run()[0].copy()
        found.append(Surround(values, shape))
    return found
