"""A detector at work: an image in, boxes out; large images in tiles that overlap."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from serving.hardware import choice, measured, topology
from serving.vision.agreement import average_precision
from serving.vision.boxes import Found, decoded, joined, suppressed
from serving.vision.compiled import Precision, compile_model
from serving.vision.description import Boxes
from serving.vision.folder import Opened, fixed_window
from serving.vision.precision import KEPT
from serving.vision.problem import Cancelled, VisionProblem
from serving.vision.window import starts

Image = NDArray[np.float32]
"""[channel, row, column]"""
Report = Callable[[int, int, str], None]

_TILE = 1024
_WAYS: tuple[Precision, ...] = ("f32", "int8")
_FEW = 3
"""Boxes below which a tile says nothing of how well eight bits do."""
_MULTIPLE = 32  # what networks with pooling can halve often enough
_EDGE = 2.0
"""Pixels from a tile's edge within which a box is cut off by it."""


class Detector:
    """One model; safe to use by one thread at a time."""

    def __init__(
        self,
        opened: Opened,
        threads: int = 0,
        precision: Literal["auto", "f32", "int8"] = "auto",
        kept: Path | None = None,
    ) -> None:
        """``threads``: 0 for all.  ``precision``: ``auto`` takes eight bits where there is such a
        graph, it is quicker here, and its boxes are those of float32 (see `_settle`); ``kept``:
        the file in which that is remembered, by default in ``BEDSIDE_HOME``.

        Raises:
            VisionProblem: the model is no detector, or has no graph of eight bits.
        """
        if opened.description.task != "detection" or opened.description.boxes is None:
            raise VisionProblem(
                "该模型不用于检出，请核对 vision.yaml 的 task。",
                "This model is not for detection (task in vision.yaml).",
            )
        if precision == "int8" and opened.eight_bits is None:
            raise VisionProblem(
                "该模型没有 INT8，请先运行 bedside model quantise-vision。",
                "The model has no INT8; run `bedside model quantise-vision` first.",
            )
        self.opened = opened
        self.how = opened.description.boxes
        self.way: Precision = "int8" if precision == "int8" else "f32"
        self._open = precision == "auto" and opened.eight_bits is not None
        self._kept = kept
        self._threads = threads or len(topology.usable())
        self._requests: dict[tuple[tuple[int, int], Precision], Any] = {}

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
        tile = self.tile(rows, columns)
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
            if self._open:
                self._settle(given, tile)
            found = self.boxes(given, how)
            found = _whole(found.moved(x, y), (y, x), tile, (rows, columns), overlap)
            parts.append(found)
            if report is not None:
                report(done, len(places), "检出 detect")
        return suppressed(_inside(joined(parts), rows, columns), how.overlap, how.most)

    def boxes(
        self, given: NDArray[np.float32], how: Boxes | None = None, way: Precision | None = None
    ) -> Found:
        """Of one tile [1, channel, row, column], before any is suppressed.  Raises as `detect`."""
        tile = (given.shape[2], given.shape[3])
        return decoded(self.raw(given, way), how or self.how, tile)

    def raw(self, given: NDArray[np.float32], way: Precision | None = None) -> list[Any]:
        """What the network gives for one tile [1, channel, row, column].  Raises as `detect`."""
        return self._outputs(given, (given.shape[2], given.shape[3]), way or self.way)

    def tile(self, rows: int, columns: int) -> tuple[int, int]:
        """Rows and columns of one pass over an image of such a size."""
        size = fixed_window(self.opened) or self.opened.description.window
        if size is not None:
            return size[1], size[2]
        height, width = (-(-min(side, _TILE) // _MULTIPLE) * _MULTIPLE for side in (rows, columns))
        return height, width

    def read(self, request: Any) -> list[Any]:
        """The outputs of an inference in the order in which they are decoded."""
        if names := self.how.outputs:
            return [np.array(request.get_tensor(name).data) for name in names]
        count = len(self.opened.model.outputs)
        return [np.array(request.get_output_tensor(at).data) for at in range(count)]

    def _settle(self, given: NDArray[np.float32], tile: tuple[int, int]) -> None:
        """Eight bits from now on where they are quicker on this tile, and lose no more of the
        average precision than the description allows; not before a tile shows a few things."""

        def alone(way: Precision) -> Found:
            found = self.boxes(given, way=way)
            return suppressed(found, self.how.overlap, self.how.most)

        exact = alone("f32")
        if len(exact) < _FEW:
            return

        def accepted(way: Precision) -> str:
            lost = 1 - average_precision(alone(way), exact)
            return way if lost <= self.opened.description.max_loss else ""

        self.way = cast(
            Precision,
            choice.quickest(
                "boxes are found",
                self._kept or measured.folder() / KEPT,
                measured.key(self.opened.digest, str(self.opened.description.max_loss), str(tile)),
                _WAYS,
                lambda way: lambda: self.raw(given, way),
                accepted,
            ),
        )
        self._open = False

    def _outputs(
        self, given: NDArray[np.float32], tile: tuple[int, int], way: Precision
    ) -> list[Any]:
        request = self._requests.get((tile, way))
        try:
            if request is None:
                source = self.opened.eight_bits if way == "int8" else self.opened.model
                model = source.clone()  # type: ignore[union-attr]
                model.reshape(list(given.shape))
                compiled = compile_model(model, way, self._threads)
                request = self._requests[tile, way] = compiled.create_infer_request()
            request.infer([given])
        except RuntimeError:
            raise VisionProblem(
                f"模型不能处理 {tile} 大小的图像，请在 vision.yaml 设置 window。",
                f"The graph does not take an image of {tile}; set window in vision.yaml.",
            ) from None
        return self.read(request)


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
