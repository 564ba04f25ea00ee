"""An image as a classifier wants it, and what is said of that input back on the image's grid.

With ``spacing`` in the description the image is brought to it and cut, or filled up, around its
middle; without, the whole image is stretched to the size that the graph takes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from assistant.imaging.channels import Channels, normalised
from assistant.imaging.conform import conformed, scaled
from assistant.imaging.problem import ImageProblem
from assistant.imaging.volume import Grid, Volume
from serving.vision.classifier import Image
from serving.vision.description import Description
from serving.vision.folder import Opened, fixed_window
from serving.vision.problem import VisionProblem

Floats = NDArray[np.float32]
Size = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Input:
    """``array`` is what the network is given; ``grid`` is where its voxels lie."""

    array: Image
    grid: Grid


def size_of(opened: Opened) -> Size:
    """(slices, rows, columns) of what the graph takes.

    Raises:
        VisionProblem: neither graph nor description says.
    """
    said = opened.description
    found = fixed_window(opened) or said.size
    if found is None:
        raise VisionProblem(
            "模型的输入大小不固定，请在 vision.yaml 写 size，如 [1, 224, 224]。",
            "The model takes any size; say size in vision.yaml, such as [1, 224, 224].",
        )
    return found if said.dimensions == 3 else (1, found[1], found[2])


def prepared(image: Channels, said: Description, size: Size) -> Input:
    """Raises `ImageProblem` for an image that the model is not for."""
    given = image.first.modality
    if said.modality and given and given != said.modality:
        raise ImageProblem(
            f"模型用于 {said.modality} 图像，而该图像是 {given[:16]}，请选择对应的序列或模型。",
            f"The model is for {said.modality} and the image is {given[:16]}; choose another.",
        )
    if said.dimensions == 2 and image.slices > 1:
        raise ImageProblem(
            f"模型是二维的，而图像有 {image.slices} 层，请用 slice 指定一层。",
            f"The model takes one slice and the image has {image.slices}; name one by slice.",
        )
    if said.dimensions == 3 and image.slices == 1:
        raise ImageProblem(
            "模型是三维的，而图像只有一层，请提供完整序列。",
            "The model takes a volume and this is one slice; give the whole series.",
        )
    planes = [_laid(one, said, size) for one in image.of(said.channels)]
    grid = planes[0][1]
    values = scaled(np.stack([array for array, _ in planes]), said.intensity)
    values = normalised(values, said.mean, said.deviation)
    return Input(values if said.dimensions == 3 else values[:, 0], grid)


def _laid(volume: Volume, said: Description, size: Size) -> tuple[Floats, Grid]:
    plain = said.model_copy(update={"size": None})
    found = conformed(volume, plain)
    if said.spacing is None:
        return _stretched(found.array, found.grid, size)
    return _cut(found.array, found.grid, size)


def _stretched(array: Floats, grid: Grid, size: Size) -> tuple[Floats, Grid]:
    """The corners of the image stay at its corners."""
    ratio = np.array(array.shape) / np.array(size)
    # Without this, what is finer than the network's voxels would turn up as patterns.
    blurred = ndimage.gaussian_filter(array, np.maximum(ratio - 1, 0) / 2)
    offset = (ratio - 1) / 2
    made = ndimage.affine_transform(
        blurred, ratio, offset, size, np.float32, order=1, mode="nearest"
    )
    spacing = np.array(grid.spacing) * ratio
    origin = grid.positions(offset[None])[0]
    steps = (float(spacing[0]), float(spacing[1]), float(spacing[2]))
    return made, Grid(size, steps, origin, grid.axes)


def _cut(array: Floats, grid: Grid, size: Size) -> tuple[Floats, Grid]:
    """The middle of the image, filled up with its least value where it is smaller."""
    made = np.full(size, float(array.min()), np.float32)
    here, there = [], []
    for count, wanted in zip(array.shape, size, strict=True):
        first = (count - wanted) // 2
        here.append(slice(max(first, 0), min(first + wanted, count)))
        there.append(slice(max(-first, 0), max(-first, 0) + min(count, wanted)))
    made[tuple(there)] = array[tuple(here)]
    start = np.array([float((n - w) // 2) for n, w in zip(array.shape, size, strict=True)])
    return made, Grid(size, grid.spacing, grid.positions(start[None])[0], grid.axes)


def back(values: Floats, grid: Grid, source: Grid) -> Floats:
    """Values on ``grid`` [slice, row, column] on the grid of the image; 0 outside."""
    matrix = np.linalg.solve(grid.step, source.step)
    offset = np.linalg.solve(grid.step, source.origin - grid.origin)
    found: Floats = ndimage.affine_transform(
        values, matrix, offset, source.shape, np.float32, order=1, mode="nearest"
    )
    inside = np.ones(values.shape, np.uint8)
    covered = ndimage.affine_transform(
        inside, matrix, offset, source.shape, np.uint8, order=0, mode="grid-constant", cval=0
    )
    return np.asarray(found * covered, np.float32)
