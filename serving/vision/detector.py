"""A detector at work: an image in, boxes out; large images in tiles that overlap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serving.hardware import topology
from serving.vision.boxes import Found, decoded, joined, suppressed
from serving.vision.compiled import compile_model
from serving.vision.folder import Opened, fixed_window
from serving.vision.problem import Cancelled, VisionProblem
from serving.vision.window import starts

Image = NDArray[np.float32]
"""[channel, row, column]"""
Report = Callable[[int, int, str], None]

_TILE = 1024
_MULTIPLE = 32  # what networks with pooling can halve often enough
_EDGE = 2.0
"""Pixels from a tile's edge within which a box is cut off by it."""


class Detector:
    """One model; safe to use by one thread at a time."""

    def __init__(self, opened: Opened, threads: int = 0) -> None:
        """``threads``: 0 for all.

        Raises:
            VisionProblem: the model is no detector.
        """
        if opened.description.task != "detection" or opened.description.boxes is None:
            raise VisionProblem(
                "该模型不用于检出，请核对 vision.yaml 的 task。",
                "This model is not for detection (task in vision.yaml).",
            )
        self.opened = opened
        self.how = opened.description.boxes
        self._threads = threads or len(topology.usable())
        self._requests: dict[tuple[int, int], Any] = {}

    def detect(
        self,
        image: Image,
        fill: float = 0.0,
        *,
        score: float | None = None,
        report: Report | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Found:
        """The boxes, the likeliest first.  ``fill``: for what is beyond the image's border;
        ``score``: the least one, by default that of the description.

        Raises:
            Cancelled: ``cancelled`` said so; it is asked before every tile.
            VisionProblem: the graph does not take such an image, or its outputs are not what is
                described.
        """
        how = self.how if score is None else self.how.model_copy(update={"score": score})
        rows, columns = image.shape[1:]
        tile = self._tile(rows, columns)
        overlap = self.opened.description.overlap
        places = [
            (y, x)
            for y in starts(rows, tile[0], overlap)
            for x in starts(columns, tile[1], overlap)
        ]
        parts = []
        for done, (y, x) in enumerate(places, start=1):
            if cancelled():
                raise Cancelled
            given = np.full((1, len(image), *tile), fill, np.float32)
            part = image[:, y : y + tile[0], x : x + tile[1]]
            given[0, :, : part.shape[1], : part.shape[2]] = part
            found = decoded(self._outputs(given, tile), how, tile)
            found = _whole(found.moved(x, y), (y, x), tile, (rows, columns), overlap)
            parts.append(found)
            if report is not None:
                report(done, len(places), "检出 detect")
        return suppressed(_inside(joined(parts), rows, columns), how.overlap, how.most)

    def _tile(self, rows: int, columns: int) -> tuple[int, int]:
        size = fixed_window(self.opened) or self.opened.description.window
        if size is not None:
            return size[1], size[2]
        height, width = (-(-min(side, _TILE) // _MULTIPLE) * _MULTIPLE for side in (rows, columns))
        return height, width

    def _outputs(self, given: NDArray[np.float32], tile: tuple[int, int]) -> list[Any]:
        request = self._requests.get(tile)
        try:
            if request is None:
                model = self.opened.model.clone()
                model.reshape(list(given.shape))
                compiled = compile_model(model, "f32", self._threads)
                request = self._requests[tile] = compiled.create_infer_request()
            request.infer([given])
        except RuntimeError:
            raise VisionProblem(
                f"模型不能处理 {tile} 大小的图像，请在 vision.yaml 设置 window。",
                f"The graph does not take an image of {tile}; set window in vision.yaml.",
            ) from None
        names = self.how.outputs
        if names:
            return [np.array(request.get_tensor(name).data) for name in names]
        return [
            np.array(request.get_output_tensor(at).data)
            for at in range(len(self.opened.model.outputs))
        ]


def _whole(
    found: Found,
    corner: tuple[int, int],
    tile: tuple[int, int],
    size: tuple[int, int],
    overlap: float,
) -> Found:
    """Without boxes that the tile's edge cuts off and that another tile sees whole: those that are
    smaller than what two tiles have in common."""
    kept = np.ones(len(found), bool)
    for axis in (0, 1):
        low, high = found.corners[:, 1 - axis], found.corners[:, 3 - axis]
        first, last = corner[axis], corner[axis] + tile[axis]
        cut = np.zeros(len(found), bool)
        if first > 0:
            cut |= low < first + _EDGE
        if last < size[axis]:
            cut |= high > last - _EDGE
        kept &= ~(cut & (high - low < overlap * tile[axis] - 2 * _EDGE))
    return found.of(kept)


def _inside(found: Found, rows: int, columns: int) -> Found:
    """Cut off at the image's border; what lies beyond it by more than a half is left out."""
    most = np.array([columns, rows, columns, rows], float)
    cut = Found(np.clip(found.corners, 0, most), found.scores, found.numbers)
    areas, whole = (
        np.prod(one.corners[:, 2:] - one.corners[:, :2], axis=1) for one in (cut, found)
    )
    return cut.of(areas > whole / 2)
