"""Which way up a page lies: quarter turns, a mirror, a small slope, as its lines of text show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from serving.ocr.cropping import along_text, cut
from serving.ocr.detection import Box, sides
from serving.ocr.network import Bytes

if TYPE_CHECKING:
    from serving.ocr.reader import Ocr

_LOOKED_AT = 800
_LONG = 2.0
_VOTERS = 24
_READERS = 8
# The beginning of a line tells as much as the whole of it, for a third of the work.
_BEGINNING = 480
_READABLE = 0.93
_CLEARLY = 0.1
_SLOPES = (math.radians(0.3), math.radians(20))


@dataclass(frozen=True, slots=True)
class Posture:
    """What to do to a page: ``quarters`` turns of 90° against the clock, then a flip from left to
    right if ``mirrored``; ``slope`` (radians, falling to the right) of its lines after that."""

    quarters: int = 0
    mirrored: bool = False
    slope: float = 0.0

    def matrix(self, width: int, height: int) -> tuple[NDArray[np.float64], tuple[int, int]]:
        """(the matrix from the page as it lies, ``width`` by ``height``, to the upright one; the
        upright one's (width, height))."""
        total = np.eye(3)
        for _ in range(self.quarters % 4):
            total = np.array([[0, 1, 0], [-1, 0, width], [0, 0, 1.0]]) @ total
            width, height = height, width
        if self.mirrored:
            total = np.array([[-1, 0, width], [0, 1, 0], [0, 0, 1.0]]) @ total
        if self.slope:
            cosine, sine = math.cos(self.slope), math.sin(self.slope)
            across, down = width / 2, height / 2
            # The page grows, so that its corners stay on it.
            wide = round(width * cosine + height * abs(sine))
            high = round(height * cosine + width * abs(sine))
            turn = np.array(
                [
                    [cosine, sine, wide / 2 - cosine * across - sine * down],
                    [-sine, cosine, high / 2 + sine * across - cosine * down],
                    [0, 0, 1.0],
                ]
            )
            total, width, height = turn @ total, wide, high
        return total, (width, height)


def posture(image: Bytes, ocr: Ocr) -> Posture:
    """How the page ``image`` has to be turned to be read."""
    boxes = [box for box in ocr.boxes(image, _LOOKED_AT) if _ratio(box) >= _LONG]
    boxes.sort(key=lambda box: -max(sides(box)))
    boxes = boxes[:_VOTERS]
    if len(boxes) < 2:
        return Posture()
    lying = [box for box in boxes if sides(box)[0] >= sides(box)[1]]
    standing = [box for box in boxes if sides(box)[0] < sides(box)[1]]
    upended = sum(max(sides(box)) for box in standing) > sum(max(sides(box)) for box in lying)
    chosen = [along_text(box) for box in standing] if upended else lying
    lines = [cut(image, box) for box in chosen]
    over = bool(ocr.upside_down(lines).mean() > 0.5)
    # Cutting a standing line takes its text to run down, which one turn against the clock does.
    begun = [line[:, :_BEGINNING] for line in lines[:_READERS]]
    turn, mirrored = _by_reading(begun, ocr, over)
    quarters = (1 if upended else 0) + (2 if turn else 0)
    slope = float(np.median([_slope(box) for box in chosen]))
    slope = -slope if mirrored else slope
    return Posture(quarters % 4, mirrored, slope if _SLOPES[0] < abs(slope) < _SLOPES[1] else 0.0)


def _by_reading(lines: Sequence[Bytes], ocr: Ocr, over: bool) -> tuple[bool, bool]:
    """(upside down, mirrored): what the classifier says, unless another way reads far better."""
    ways = [(over, False), (not over, False), (over, True), (not over, True)]
    best, most = ways[0], 0.0
    for turn, mirrored in ways:
        seen = [line[::-1, ::-1] if turn else line for line in lines]
        seen = [line[:, ::-1] for line in seen] if mirrored else seen
        sure = float(np.mean([reading.mean for reading in ocr.recognise(seen)]))
        if sure > _READABLE and (turn, mirrored) == ways[0]:
            return ways[0]
        if sure > most + _CLEARLY:
            best, most = (turn, mirrored), sure
    return best


def _ratio(box: Box) -> float:
    along, across = sides(box)
    return max(along, across) / max(1.0, min(along, across))


def _slope(box: Box) -> float:
    """The angle by which a line falls to its right, from its longer sides."""
    across, down = (box[1] - box[0] + box[2] - box[3]).tolist()
    angle = math.atan2(down, across)
    # A standing line starts at its top right and runs down.
    return (angle - math.pi / 2) if abs(angle) > math.pi / 4 else angle
