"""The values of one layer, over which the next one's are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.vision.chain import Stage
from serving.vision.compiled import Precision
from serving.vision.layer_graph import Layer, packed
from serving.vision.layer_plan import Job
from serving.vision.surround import Surround


class Values:
    """The values of the layer that was computed last: first the volume itself."""

    def __init__(
        self, volume: NDArray[np.float32], groups: Sequence[Sequence[Stage]], precision: Precision
    ) -> None:
        self._shape = volume.shape
        self._source = packed(volume, precision)[..., None]
        # A volume's slices lie so far down that each layer has room to move up.
        self._room = sum(group[0].reach[0] for group in groups)
        self._down = 0
        self._kept: NDArray[Any] | None = None
        self._moves = False
        """Whether what is read and what is written share their memory."""

    def computed(self, layer: Layer, job: Job) -> NDArray[Any]:
        """The layer's values for ``job``, [slice, row, column, channel]."""
        rect = job.rect
        assert rect is not None
        piece = layer.piece(job.size)
        given = piece.given[0]
        starts = (job.start, rect.y0, rect.x0)
        low = [place - reach for place, reach in zip(starts, layer.reach, strict=True)]
        high = [one + size for one, size in zip(low, given.shape[:3], strict=True)]
        inner = [(max(a, 0), min(b, n)) for a, b, n in zip(low, high, self._shape, strict=True)]
        if any(a < 0 or b > n for a, b, n in zip(low, high, self._shape, strict=True)):
            given.fill(0)
        into = tuple(slice(a - at, b - at) for (a, b), at in zip(inner, low, strict=True))
        (z0, z1), (y0, y1), (x0, x1) = inner
        down = self._down
        given[into] = self._source[z0 + down : z1 + down, y0:y1, x0:x1]
        made: NDArray[Any] = piece.run()[0]
        return made

    def store(
        self, layer: Layer, job: Job, made: NDArray[Any] | None, surround: Surround | None
    ) -> None:
        """Keep the values of ``job``: what was computed, and those of an empty image around it."""
        needed, rect = job.needed, job.rect
        if needed is None:
            return
        target = self._target(layer)
        down = self._down_next(layer)
        part = slice(job.start + down, job.stop + down)
        if surround is not None:
            slices = slice(job.start, job.stop)
            for rows, columns in needed.without(rect):
                target[part, rows, columns] = surround.part(slices, rows, columns)
        if rect is not None and made is not None:
            height, width = rect.size
            target[part, rect.y0 : rect.y1, rect.x0 : rect.x1] = made[
                : job.stop - job.start, :height, :width
            ]

    def advance(self, layer: Layer) -> None:
        """The layer is whole: the next one reads it."""
        self._down = self._down_next(layer)
        if self._kept is not None:
            self._source = self._kept
            self._moves = True

    def _down_next(self, layer: Layer) -> int:
        return self._down - layer.reach[0] if self._moves else self._room

    def _target(self, layer: Layer) -> NDArray[Any]:
        kind = np.dtype(np.uint16 if layer.following == "bf16" else np.float32)
        held = self._kept
        if held is None or held.shape[3] != layer.channels or held.itemsize < kind.itemsize:
            depth, height, width = self._shape
            # Pages that nothing is written to take no memory.
            held = np.zeros((depth + self._room, height, width, layer.channels), kind)
            self._moves = False
        elif held.itemsize > kind.itemsize:
            # Each voxel stays in its place and leaves half of it empty, so that nothing is written
            # over what is still to be read.
            held = held.view(kind)[..., : layer.channels]
        self._kept = held
        return held
