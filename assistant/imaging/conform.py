"""An image on the grid that a network was made for, and the answer back on the image's own grid.

Where the image's axes are those of the network but for their order and direction, and the spacing
is the same, voxels are only moved; else they are interpolated, and smoothed before where the
network's voxels are larger.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import MAX_VOXELS, Floats, Grid, Volume, check_finite
from serving.vision.description import Description, Intensity

_LETTERS = {
    "L": (1, 0, 0),
    "R": (-1, 0, 0),
    "P": (0, 1, 0),
    "A": (0, -1, 0),
    "S": (0, 0, 1),
    "I": (0, 0, -1),
}
_SAME = 1e-3
_COARSER = 1.2  # times the spacing, from which an image is smoothed before

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Conformed:
    """``array`` is [first, second, third axis of the network]; ``grid`` has the same order."""

    array: NDArray[np.float32]
    grid: Grid


def conformed(volume: Volume, said: Description) -> Conformed:
    """``volume`` on the network's grid, in its own intensities.

    Raises `ImageProblem` for voxels that are no numbers, and where it would grow too large.
    """
    check_finite(volume)
    grid = target_grid(volume.grid, said)
    lowest = float(volume.array.min())
    moved = _moves(volume.grid, grid)
    if moved is not None:
        order, flips, places = moved
        turned = np.flip(volume.array.transpose(order), flips)
        array = np.full(grid.shape, lowest, np.float32)
        array[places] = turned
        return Conformed(array, grid)
    values = volume.array.astype(np.float32)
    matrix, offset = _between(grid, volume.grid)
    ratio = np.linalg.norm(matrix, axis=1)
    if (ratio > _COARSER).any():
        values = ndimage.gaussian_filter(values, np.maximum(ratio - 1, 0) / 2)
    array = ndimage.affine_transform(
        values, matrix, offset, grid.shape, np.float32, order=1, mode="constant", cval=lowest
    )
    return Conformed(array, grid)


def back(labels: Labels, grid: Grid, source: Grid) -> Labels:
    """``labels`` on ``grid`` as the nearest ones on the grid ``source``; 0 outside."""
    moved = _moves(source, grid)
    if moved is not None:
        order, flips, places = moved
        turned = np.flip(labels[places], flips)
        return np.ascontiguousarray(turned.transpose(np.argsort(order)))
    matrix, offset = _between(source, grid)
    found: Labels = ndimage.affine_transform(
        labels, matrix, offset, source.shape, np.uint8, order=0, mode="constant", cval=0
    )
    return found


def target_grid(source: Grid, said: Description) -> Grid:
    """The grid that a network wants for an image on ``source``: around the same middle."""
    if said.orientation:
        axes = np.array([_LETTERS[one] for one in said.orientation], float).T
    else:
        axes = source.axes
    order = np.abs(axes.T @ source.axes).argmax(axis=1)
    spacing = np.array(said.spacing or [source.spacing[at] for at in order], float)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in source.shape], indexing="ij"))
    along = source.positions(corners.reshape(3, -1).T.astype(float)) @ axes
    extent = (along.max(axis=0) - along.min(axis=0)) / spacing
    counts = np.ceil(extent - _SAME).astype(int) + 1
    least = np.array(said.size or (1, 1, 1))
    shape = np.maximum(counts, least)
    if float(np.prod(shape.astype(float))) > MAX_VOXELS:
        raise ImageProblem(
            "图像按模型的体素大小重采样后过大，请裁剪后重试。",
            "The image is too large at the model's voxel size; crop it.",
        )
    # Where counts agree, voxels fall upon voxels.
    before = (shape - counts) // 2
    middle = (along.max(axis=0) + along.min(axis=0)) / 2
    start = middle - (counts - 1) / 2 * spacing - before * spacing
    size = (int(shape[0]), int(shape[1]), int(shape[2]))
    steps = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
    return Grid(size, steps, axes @ start, axes)


def scaled(array: NDArray[np.float32], how: Intensity) -> NDArray[np.float32]:
    """Intensities as a network wants them."""
    if how.kind == "none":
        return array
    if how.kind == "zscore":
        deviation = float(array.std()) or 1.0
        return (array - np.float32(array.mean())) / np.float32(deviation)
    low, high = how.low, how.high
    if how.kind == "minmax":
        low, high = float(array.min()), float(array.max())
    elif how.kind == "percentiles":
        low, high = (float(one) for one in np.percentile(array, (how.low, how.high)))
    if not high > low:
        raise ImageProblem(
            "图像各处灰度相同，没有可分割的内容，请检查导出。",
            "The image is the same everywhere; there is nothing to segment.",
        )
    found: NDArray[np.float32] = (array - np.float32(low)) / np.float32(high - low)
    return found if how.kind == "minmax" else np.clip(found, 0, 1)


def _between(grid: Grid, other: Grid) -> tuple[Floats, Floats]:
    """Matrix and offset from an index on ``grid`` to the index on ``other``."""
    matrix = np.linalg.solve(other.step, grid.step).astype(np.float64)
    offset = np.linalg.solve(other.step, grid.origin - other.origin).astype(np.float64)
    return matrix, offset


def _moves(
    source: Grid, grid: Grid
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[slice, ...]] | None:
    """How voxels move from ``source`` onto ``grid`` without interpolation: the order of axes, which
    of the new ones are turned round, and where they go; None where they fall between voxels."""
    matrix, offset = _between(source, grid)
    near = np.rint(matrix)
    if np.abs(matrix - near).max() > _SAME / max(source.shape):
        return None
    if not (np.abs(near).sum(axis=0) == 1).all() or not (np.abs(near).sum(axis=1) == 1).all():
        return None
    if np.abs(offset - np.rint(offset)).max() > 0.01:
        return None
    order = np.abs(near).argmax(axis=1)
    signs = near[np.arange(3), order]
    starts = np.rint(offset).astype(int)
    places = []
    for axis in range(3):
        count = source.shape[order[axis]]
        first = int(starts[axis]) - (count - 1 if signs[axis] < 0 else 0)
        if first < 0 or first + count > grid.shape[axis]:
            return None
        places.append(slice(first, first + count))
    flips = tuple(axis for axis in range(3) if signs[axis] < 0)
    return tuple(int(one) for one in order), flips, tuple(places)
