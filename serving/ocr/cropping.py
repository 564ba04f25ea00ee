"""A line of text cut out of a page, straight and as high as the recogniser reads."""

from __future__ import annotations

import cv2
import numpy as np

from serving.ocr.detection import Box, sides
from serving.ocr.network import Bytes

HEIGHT = 48
_UPRIGHT = 1.5
_STRAIGHT = 0.012
_SHRINKS_MUCH = 1.4


def stands(box: Box) -> bool:
    """Whether the text of a box runs from top to bottom."""
    along, across = sides(box)
    return across >= along * _UPRIGHT


def along_text(box: Box) -> Box:
    """The corners from the start of the text: those of a standing line begin at the top right."""
    return np.roll(box, -1, axis=0) if stands(box) else box


def cut(image: Bytes, box: Box, height: int = HEIGHT) -> Bytes:
    """The pixels [height, width, 3] inside ``box``, whose corners start where the text does."""
    along, across = sides(box)
    width = max(8, round(along * height / max(across, 1.0)))
    straight = _cut_straight(image, box)
    if straight is not None:
        return _scaled(straight, width, height)
    shrink = across / height
    if shrink > _SHRINKS_MUCH:
        # Warping looks at four pixels each: cut at the page's own scale first, then average.
        return _scaled(_warped(image, box, round(along), round(across)), width, height)
    return _warped(image, box, width, height)


def _cut_straight(image: Bytes, box: Box) -> Bytes | None:
    """A box without slope is a slice, which costs a tenth of a warp."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = box.tolist()
    slope = max(abs(y1 - y0), abs(y2 - y3)) / max(x1 - x0, 1.0)
    if x1 <= x0 or y3 <= y0 or slope > _STRAIGHT or max(abs(x3 - x0), abs(x2 - x1)) > 2:
        return None
    left, right = round(min(x0, x3)), round(max(x1, x2)) + 1
    top, bottom = round(min(y0, y1)), round(max(y2, y3)) + 1
    return image[max(top, 0) : bottom, max(left, 0) : right]


def _scaled(part: Bytes, width: int, height: int) -> Bytes:
    way = cv2.INTER_AREA if part.shape[0] > height * _SHRINKS_MUCH else cv2.INTER_LINEAR
    line: Bytes = cv2.resize(part, (width, height), interpolation=way).astype(np.uint8, copy=False)
    return line


def _warped(image: Bytes, box: Box, width: int, height: int) -> Bytes:
    width, height = max(width, 1), max(height, 1)
    to = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(box, to)
    line: Bytes = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    return line
