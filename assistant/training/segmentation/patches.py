"""Patches of the training images: drawn by chance, turned, scaled and made noisy by chance.

All chances of an epoch follow from the seed and the epoch's number, so that a run that was killed
goes on as if it had not been.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from assistant.training.segmentation.case import Case


@dataclass(frozen=True, slots=True)
class Augmentation:
    """``turn``: degrees either way; ``scale``, ``contrast``, ``noise``: shares; ``mirror``: along
    the last axis, which makes left right: only where no structure is of one side."""

    turn: float = 15.0
    scale: float = 0.15
    contrast: float = 0.2
    noise: float = 0.03
    mirror: bool = False


class Patches:
    """Batches of patches [batch, 1, …] with their classes [batch, …]."""

    def __init__(
        self, cases: Sequence[Case], size: tuple[int, int, int], flat: bool, how: Augmentation
    ) -> None:
        """``size`` of a patch along the three axes; ``flat``: the first is 1 and left out."""
        self._size = size
        self._flat = flat
        self._how = how
        self._cases = [_filled(case, size) for case in cases]
        self._places = [_of_classes(case.labels) for case in self._cases]

    def batch(self, count: int, random: np.random.Generator) -> tuple[Any, Any]:
        """``count`` patches: half of them around a voxel of a structure."""
        drawn = [self._drawn(random, at % 2 == 0) for at in range(count)]
        images = torch.from_numpy(np.stack([image for image, _ in drawn]))[:, None]
        labels = torch.from_numpy(np.stack([label for _, label in drawn]).astype(np.int64))
        return self._augmented(images, labels, random)

    def _drawn(self, random: np.random.Generator, inside: bool) -> tuple[Any, Any]:
        at = int(random.integers(len(self._cases)))
        case, places = self._cases[at], self._places[at]
        room = np.array(case.array.shape, np.int64) - np.array(self._size, np.int64)
        start = random.integers(room + 1)
        if inside and places:
            listed = places[int(random.integers(len(places)))]
            voxel = listed[int(random.integers(len(listed)))]
            start = np.clip(voxel - np.array(self._size) // 2, 0, room)
        box = tuple(slice(int(a), int(a) + n) for a, n in zip(start, self._size, strict=True))
        image, labels = case.array[box], case.labels[box]
        return (image[0], labels[0]) if self._flat else (image, labels)

    def _augmented(self, images: Any, labels: Any, random: np.random.Generator) -> tuple[Any, Any]:
        count, space = len(images), images.dim() - 2
        how = self._how
        if how.turn or how.scale:
            grid = functional.affine_grid(
                torch.from_numpy(_matrices(count, space, how, random)),
                list(images.shape),
                align_corners=False,
            )
            images = functional.grid_sample(
                images, grid, padding_mode="border", align_corners=False
            )
            drawn = functional.grid_sample(
                labels[:, None].to(images.dtype), grid, mode="nearest", align_corners=False
            )
            labels = drawn[:, 0].to(torch.int64)
        if how.mirror:
            chosen = torch.from_numpy(random.random(count) < 0.5)
            images[chosen] = images[chosen].flip(-1)
            labels[chosen] = labels[chosen].flip(-1)
        shape = (count, 1, *[1] * space)
        factor = 1 + random.uniform(-how.contrast, how.contrast, shape)
        shift = random.uniform(-how.contrast, how.contrast, shape) / 2
        images = images * torch.from_numpy(factor.astype(np.float32))
        images = images + torch.from_numpy(shift.astype(np.float32))
        if how.noise:
            noise = random.normal(0, how.noise, images.shape).astype(np.float32)
            images = images + torch.from_numpy(noise)
        return images, labels


def _matrices(
    count: int, space: int, how: Augmentation, random: np.random.Generator
) -> np.ndarray[Any, Any]:
    """Turns in the plane of the last two axes (which grids name first), and scales."""
    angles = np.radians(random.uniform(-how.turn, how.turn, count))
    scales = 1 + random.uniform(-how.scale, how.scale, count)
    made = np.zeros((count, space, space + 1), np.float32)
    made[:, 0, 0] = made[:, 1, 1] = np.cos(angles) * scales
    made[:, 0, 1], made[:, 1, 0] = -np.sin(angles) * scales, np.sin(angles) * scales
    if space == 3:
        made[:, 2, 2] = scales
    return made


def _filled(case: Case, size: tuple[int, int, int]) -> Case:
    """The case, at least as large as a patch."""
    more = [(0, max(n - have, 0)) for n, have in zip(size, case.array.shape, strict=True)]
    if not any(after for _, after in more):
        return case
    array = np.pad(case.array, more, constant_values=float(case.array.min()))
    return Case(case.name, array, np.pad(case.labels, more), case.grid)


_KEPT = 20_000


def _of_classes(labels: np.ndarray[Any, Any]) -> list[np.ndarray[Any, Any]]:
    """For each structure of the case, voxels of it [n, 3]; a few thousand are enough."""
    found = []
    for number in np.unique(labels):
        if number:
            flat = np.flatnonzero(labels == number)
            flat = flat[:: max(len(flat) // _KEPT, 1)]
            found.append(np.stack(np.unravel_index(flat, labels.shape), axis=1))
    return found
