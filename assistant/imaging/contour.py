"""Closed contours to a mask: a voxel belongs to a region when its centre lies inside.

Even-odd: a contour within another is a hole, whichever way round it was drawn, and so is the inner
part of a keyhole.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from assistant.imaging.volume import Floats, Mask


def fill(contours: Iterable[Floats], shape: tuple[int, int]) -> Mask:
    """The pixels inside an odd number of ``contours``.

    ``contours``: (n, 2) corners each, as (row, column) of pixel centres; ``shape``: (rows,
    columns).  A centre on an edge belongs to the side with the greater row or column.
    """
    rows, columns = shape
    crossings = np.zeros((rows, columns + 1), np.int64)
    for corners in contours:
        _cross(crossings, np.asarray(corners, float))
    inside: Mask = (np.cumsum(crossings[:, :columns], axis=1) & 1).astype(bool)
    return inside


def _cross(crossings: NDArray[np.int64], corners: Floats) -> None:
    """Count, for every row, the edges that its line of centres crosses, at the first pixel that
    is not left of the crossing."""
    rows, width = crossings.shape
    ends = np.roll(corners, -1, axis=0)
    # Half-open in the row, so that a corner on a line of centres counts once.
    upward = ends[:, 0] > corners[:, 0]
    low = np.where(upward[:, None], corners, ends)
    high = np.where(upward[:, None], ends, corners)
    first = np.clip(np.ceil(low[:, 0]), 0, rows).astype(np.int64)
    last = np.clip(np.ceil(high[:, 0]), 0, rows).astype(np.int64)
    counts = last - first
    edge = np.repeat(np.arange(len(corners)), counts)
    if not len(edge):
        return
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts)
    rise = (high[edge, 1] - low[edge, 1]) / (high[edge, 0] - low[edge, 0])
    column = low[edge, 1] + rise * (row - low[edge, 0])
    column = np.clip(np.ceil(column), 0, width - 1).astype(np.int64)
    np.add.at(crossings, (row, column), 1)
