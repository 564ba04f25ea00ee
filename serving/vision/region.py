"""Which part of each layer must be computed, so that the labels of the tissue are exact.

Background is one value everywhere.  A layer needs no more than lies within what the layers after
it look at around tissue; and where no tissue is within what the layers before it look at, its
values are those of an empty image: they depend on how far the image's edges are, where padding
begins, and on nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reach = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Rect:
    """Rows ``y0`` to ``y1`` and columns ``x0`` to ``x1``, ends not included."""

    y0: int
    y1: int
    x0: int
    x1: int

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.y1 - self.y0, self.x1 - self.x0

    def without(self, inner: Rect | None) -> list[tuple[slice, slice]]:
        """The rows and columns of up to four pieces around ``inner``, which lies inside."""
        if inner is None:
            return [(slice(self.y0, self.y1), slice(self.x0, self.x1))]
        middle = slice(inner.y0, inner.y1)
        pieces = [
            (slice(self.y0, inner.y0), slice(self.x0, self.x1)),
            (slice(inner.y1, self.y1), slice(self.x0, self.x1)),
            (middle, slice(self.x0, inner.x0)),
            (middle, slice(inner.x1, self.x1)),
        ]
        return [(y, x) for y, x in pieces if y.start < y.stop and x.start < x.stop]


class Tissue:
    """Where there is something else than background, seen from two sides."""

    def __init__(self, mask: NDArray[np.bool_]) -> None:
        """``mask`` is [slice, row, column]."""
        self.shape = mask.shape
        self._rows: NDArray[np.bool_] = np.any(mask, axis=2)
        self._columns: NDArray[np.bool_] = np.any(mask, axis=1)

    @property
    def slices(self) -> tuple[int, int]:
        """The first slice with tissue and the one after the last; equal where there is none."""
        held = np.flatnonzero(self._rows.any(axis=1))
        return (int(held[0]), int(held[-1]) + 1) if len(held) else (0, 0)

    def around(self, start: int, stop: int, reach: Reach) -> Rect | None:
        """What lies within ``reach`` of tissue on the slices ``start`` to ``stop``."""
        depth, height, width = self.shape
        part = slice(max(start - reach[0], 0), min(stop + reach[0], depth))
        rows = np.flatnonzero(self._rows[part].any(axis=0))
        columns = np.flatnonzero(self._columns[part].any(axis=0))
        if not len(rows):
            return None
        return Rect(
            max(int(rows[0]) - reach[1], 0),
            min(int(rows[-1]) + 1 + reach[1], height),
            max(int(columns[0]) - reach[2], 0),
            min(int(columns[-1]) + 1 + reach[2], width),
        )

    def to_compute(
        self, start: int, stop: int, before: Reach, after: Reach
    ) -> tuple[Rect | None, Rect | None]:
        """Of a layer on the slices ``start`` to ``stop``: what is to be computed, and what must
        have a value, which around that is the one of an empty image.

        ``before``: how far this layer and those before it look together; ``after``: those after it.
        """
        both = tuple(min(one, other) for one, other in zip(before, after, strict=True))
        near = self.around(start, stop, (both[0], both[1], both[2]))
        return near, self.around(start, stop, after)


def totals(reaches: Sequence[Reach]) -> tuple[list[Reach], list[Reach]]:
    """For every layer how far it and those before it look together, and those after it."""
    steps = np.array(reaches)
    before = np.cumsum(steps, axis=0)
    after = before[-1] - before
    return [(*map(int, one),) for one in before], [(*map(int, one),) for one in after]  # type: ignore[misc]


def shared_sizes(
    wanted: Sequence[tuple[int, int]], worth: float
) -> dict[tuple[int, int], tuple[int, int]]:
    """For every size one at least as large, from as few as pay.

    A size of its own costs a compilation, which is ``worth`` so many pixels of computation.
    """
    kept: list[tuple[int, int]] = []
    chosen: dict[tuple[int, int], tuple[int, int]] = {}
    for size in sorted(set(wanted), key=lambda one: -one[0] * one[1]):
        count = sum(one == size for one in wanted)
        fits = [one for one in kept if one[0] >= size[0] and one[1] >= size[1]]
        best = min(fits, key=lambda one: one[0] * one[1], default=None)
        if best is None or (best[0] * best[1] - size[0] * size[1]) * count > worth:
            best = size
            kept.append(size)
        chosen[size] = best
    return chosen
