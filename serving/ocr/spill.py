"""Text of a photo that lies outside of the sheets that were found on it: no page may lose any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from serving.ocr.cropping import along_text, cut
from serving.ocr.detection import Box, sides
from serving.ocr.network import Bytes

if TYPE_CHECKING:
    from serving.ocr.reader import Ocr

_LOOKED_AT = 800
_READ = 24
_READABLE = 0.8
_CHARACTERS = 6
_MUCH = 0.1
_ALONG = (0.04, 0.5, 0.96)


@dataclass(frozen=True, slots=True)
class Spill:
    """``text``: whether there is text outside of all sheets; ``whole``: the sheets whose border no
    line of text runs over."""

    text: bool
    whole: list[Box]


def spill(image: Bytes, sheets: Sequence[Box], ocr: Ocr) -> Spill:
    """What the ``sheets`` of a photo leave out of its text."""
    boxes = [along_text(box) for box in ocr.boxes(image, _LOOKED_AT)]
    inside = [_inside(box, sheets) for box in boxes]
    outside = [box for box, seen in zip(boxes, inside, strict=True) if not seen.any(axis=0).all()]
    if not outside or not _is_text(image, boxes, outside, ocr):
        return Spill(False, list(sheets))
    whole = [
        sheet
        for at, sheet in enumerate(sheets)
        if not any(seen[at].any() and not seen[at].all() for seen in inside)
    ]
    return Spill(True, whole)


def without(image: Bytes, sheets: Sequence[Box]) -> Bytes:
    """``image`` with its sheets painted over in the colour of what they lie on."""
    mask = np.zeros(image.shape[:2], np.uint8)
    for sheet in sheets:
        cv2.fillConvexPoly(mask, sheet.round().astype(np.int32), (1,))
    # The rim of a sheet would be taken for a line of print.
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=max(4, max(mask.shape) // 150))
    seen = image[::4, ::4][mask[::4, ::4] == 0]
    rest = image.copy()
    rest[mask == 1] = np.median(seen, axis=0) if seen.size else 255
    return rest


def _inside(box: Box, sheets: Sequence[Box]) -> NDArray[np.bool_]:
    """[sheets, 3]: whether start, middle and end of a line lie on each sheet, or nearly so."""
    _, across = sides(box)
    start, end = (box[0] + box[3]) / 2, (box[1] + box[2]) / 2
    points = [start + part * (end - start) for part in _ALONG]
    return np.array(
        [
            [
                cv2.pointPolygonTest(sheet, (float(x), float(y)), True) >= -across / 2
                for x, y in points
            ]
            for sheet in sheets
        ]
    )


def _is_text(image: Bytes, boxes: Sequence[Box], outside: Sequence[Box], ocr: Ocr) -> bool:
    """Whether boxes hold text and not the grain of a desk: much of all there is, or readable."""
    if sum(map(_area, outside)) > _MUCH * sum(map(_area, boxes)):
        return True
    longest = sorted(outside, key=lambda box: -sides(box)[0])[:_READ]
    lines = [cut(image, box) for box in longest]
    readings = zip(
        ocr.recognise(lines), ocr.recognise([line[::-1, ::-1] for line in lines]), strict=True
    )
    better = [max(pair, key=lambda reading: reading.mean) for pair in readings]
    read = sum(len(one.text) for one in better if one.mean >= _READABLE)
    return read >= _CHARACTERS


def _area(box: Box) -> float:
    along, across = sides(box)
    return along * across
