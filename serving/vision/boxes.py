"""What a detector's outputs say, as boxes in pixels; and one box for each thing.

Raw heads are decoded as their papers have it: RetinaNet (Lin et al., Focal loss for dense object
detection, 2017) with its anchors, YOLO with centres and sizes in pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.vision.description import Anchors, Boxes
from serving.vision.problem import VisionProblem

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

_FARTHEST = float(np.log(1000 / 16))
"""Of a size's correction, as the usual implementations have it; e to more would be infinite."""


@dataclass(frozen=True, slots=True)
class Found:
    """``corners`` [n, 4]: left, top, right, bottom in pixels; ``numbers`` are classes of the
    description, from 1."""

    corners: Floats
    scores: Floats
    numbers: Numbers

    def __len__(self) -> int:
        return len(self.scores)

    def of(self, chosen: NDArray[np.bool_] | Numbers) -> Found:
        """Some of them."""
        return Found(self.corners[chosen], self.scores[chosen], self.numbers[chosen])

    def moved(self, x: float, y: float) -> Found:
        """The same elsewhere."""
        return Found(self.corners + np.array([x, y, x, y]), self.scores, self.numbers)


NOTHING = Found(np.empty((0, 4)), np.empty(0), np.empty(0, np.int64))


def joined(parts: Sequence[Found]) -> Found:
    """All of them."""
    if not parts:
        return NOTHING
    return Found(
        np.concatenate([one.corners for one in parts]),
        np.concatenate([one.scores for one in parts]),
        np.concatenate([one.numbers for one in parts]),
    )


def decoded(outputs: Sequence[NDArray[np.floating]], how: Boxes, size: tuple[int, int]) -> Found:
    """Of one image of ``size`` (rows, columns), those with ``how.score`` at least.

    Raises:
        VisionProblem: the outputs' shapes are not what is described.
    """
    try:
        found = _READERS[how.kind](outputs, how, size)
    except (IndexError, ValueError):
        shapes = "、".join(str(tuple(one.shape)) for one in outputs)
        raise VisionProblem(
            f"模型的输出 {shapes} 不能按 boxes.kind: {how.kind} 读取，请核对 vision.yaml。",
            f"The outputs {shapes} cannot be read as boxes.kind {how.kind}; correct vision.yaml.",
        ) from None
    usable = (
        (found.scores >= how.score)
        & np.isfinite(found.corners).all(axis=1)
        & (found.corners[:, 2] > found.corners[:, 0])
        & (found.corners[:, 3] > found.corners[:, 1])
        & (found.numbers >= 1)
    )
    return found.of(usable)


def _decoded(outputs: Sequence[NDArray[np.floating]], how: Boxes, size: tuple[int, int]) -> Found:
    corners = _corners(np.asarray(outputs[0], float).reshape(-1, 4), how, size)
    scores = np.asarray(outputs[1], float)
    if len(outputs) > 2:
        numbers = np.asarray(outputs[2]).reshape(-1).astype(np.int64) - how.first + 1
        return _checked(corners, scores.reshape(-1), numbers)
    if scores.size == len(corners):
        return _checked(corners, scores.reshape(-1), np.ones(len(corners), np.int64))
    scores = scores.reshape(len(corners), -1)[:, how.first :]
    return _best(corners, scores)


def _rows(outputs: Sequence[NDArray[np.floating]], how: Boxes, size: tuple[int, int]) -> Found:
    rows = np.asarray(outputs[0], float).reshape(-1, 7)
    rows = rows[rows[:, 0] >= 0]  # an image of -1 ends the list
    numbers = rows[:, 1].astype(np.int64) - how.first + 1
    return _checked(_corners(rows[:, 3:7], how, size), rows[:, 2], numbers)


def _yolo(outputs: Sequence[NDArray[np.floating]], how: Boxes, size: tuple[int, int]) -> Found:
    rows = np.asarray(outputs[0], float)
    rows = rows.reshape(-1, rows.shape[-1])
    if rows.shape[0] < rows.shape[1]:
        # One column a box; there are always more boxes than numbers of one.
        rows = rows.T
    corners = _corners(rows[:, :4], how.model_copy(update={"form": "centre"}), size)
    if how.objectness:
        return _best(corners, rows[:, 5:] * rows[:, 4:5])
    return _best(corners, rows[:, 4:])


def _retinanet(outputs: Sequence[NDArray[np.floating]], how: Boxes, size: tuple[int, int]) -> Found:
    logits = np.asarray(outputs[0], float)
    logits = logits.reshape(-1, logits.shape[-1])
    moves = np.asarray(outputs[1], float).reshape(-1, 4) / np.array(how.anchors.weights)
    base = anchors(how.anchors, size)
    if not len(base) == len(moves) == len(logits):
        raise ValueError("anchors")
    sizes: Floats = base[:, 2:] - base[:, :2]
    centres = base[:, :2] + sizes / 2 + moves[:, :2] * sizes
    half = sizes * np.exp(np.minimum(moves[:, 2:], _FARTHEST)) / 2
    shares = 1 / (1 + np.exp(-np.clip(logits, -500, 500)))
    return _best(np.hstack([centres - half, centres + half]), shares)


_READERS = {"decoded": _decoded, "rows": _rows, "yolo": _yolo, "retinanet": _retinanet}


def anchors(how: Anchors, size: tuple[int, int]) -> Floats:
    """[n, 4]: level by level, row by row, column by column, then every ratio with every scale."""
    found = []
    for stride, side in zip(how.strides, how.sizes, strict=True):
        shapes = [
            (side * scale / np.sqrt(ratio), side * scale * np.sqrt(ratio))
            for ratio in how.ratios
            for scale in how.scales
        ]
        half = np.array(shapes) / 2
        rows, columns = (np.arange(-(-length // stride)) * stride for length in size)
        y, x = np.meshgrid(rows, columns, indexing="ij")
        middle = np.stack([x, y], axis=-1).reshape(-1, 1, 2).astype(float)
        found.append(np.concatenate([middle - half, middle + half], axis=2).reshape(-1, 4))
    return np.concatenate(found)


def suppressed(found: Found, overlap: float, most: int) -> Found:
    """The likeliest of boxes of one class that overlap (IoU) by ``overlap`` at least; the likeliest
    first, ``most`` at most."""
    order = np.argsort(-found.scores, kind="stable")
    kept: list[int] = []
    waiting = found.of(order)
    places = np.arange(len(order))
    while len(places) and len(kept) < most:
        first, places = places[0], places[1:]
        kept.append(int(order[first]))
        same = waiting.numbers[places] == waiting.numbers[first]
        near = ious(waiting.corners[first], waiting.corners[places]) >= overlap
        places = places[~(same & near)]
    return found.of(np.array(kept, np.int64))


def ious(one: Floats, others: Floats) -> Floats:
    """Intersection over union of a box with each of others."""
    low = np.maximum(one[:2], others[:, :2])
    high = np.minimum(one[2:], others[:, 2:])
    both = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(others[:, 2:] - others[:, :2], axis=1)
    found: Floats = both / np.maximum(float(np.prod(one[2:] - one[:2])) + areas - both, 1e-12)
    return found


def _best(corners: Floats, scores: Floats) -> Found:
    """Each box as the class with its highest score."""
    if scores.shape[0] != len(corners) or scores.ndim != 2 or not scores.shape[1]:
        raise ValueError("scores")
    numbers = scores.argmax(axis=1)
    return Found(corners, scores[np.arange(len(scores)), numbers], numbers.astype(np.int64) + 1)


def _checked(corners: Floats, scores: Floats, numbers: Numbers) -> Found:
    if not len(corners) == len(scores) == len(numbers):
        raise ValueError("lengths")
    return Found(corners, scores, numbers)


def _corners(boxes: Floats, how: Boxes, size: tuple[int, int]) -> Floats:
    if how.unit == "share":
        boxes = boxes * np.array([size[1], size[0], size[1], size[0]], float)
    if how.form == "centre":
        half = boxes[:, 2:] / 2
        boxes = np.hstack([boxes[:, :2] - half, boxes[:, :2] + half])
    return boxes
