"""Which voxels are neighbours: directions, and pairs of views of an array along them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

Direction = tuple[int, int, int]


def half(by_slice: bool) -> Sequence[Direction]:
    """One of each pair of opposite directions (slice, row, column): 4 in a slice, 13 in all."""
    steps = product((0,) if by_slice else (-1, 0, 1), (-1, 0, 1), (-1, 0, 1))
    return [(z, y, x) for z, y, x in steps if (z, y, x) > (0, 0, 0)]


def pair(array: NDArray[Any], direction: Direction) -> tuple[NDArray[Any], NDArray[Any]]:
    """Views of voxels that have a neighbour in ``direction``, and of these neighbours."""
    here, there = [], []
    for step, size in zip(direction, array.shape, strict=True):
        here.append(slice(max(-step, 0), size - max(step, 0)))
        there.append(slice(max(step, 0), size - max(-step, 0)))
    return array[tuple(here)], array[tuple(there)]


def slice_numbers(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """For every voxel the number of its slice."""
    return np.broadcast_to(np.arange(shape[0])[:, None, None], shape)
