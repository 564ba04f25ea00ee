"""Numbers that were read with doubt are read again, cut otherwise and at another scale."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from serving.ocr.alphabet import folded
from serving.ocr.cropping import HEIGHT, cut
from serving.ocr.detection import Box, sides
from serving.ocr.network import Bytes
from serving.ocr.recognition import Reading, Recogniser

_SURE = 0.95
_DIGITS = 0.3
_WIDER = 0.1
_LOWER = 40
CONTESTED = 0.5
"""The confidence of a number that two readings disagree on, at most."""


def doubtful(reading: Reading) -> bool:
    """Whether a reading is mostly a number, and one of its characters is unsure."""
    digits = sum(character.isdigit() for character in reading.text)
    return bool(digits) and digits >= _DIGITS * len(reading.text) and reading.least < _SURE


def read_again(
    image: Bytes, boxes: Sequence[Box], readings: list[Reading], recogniser: Recogniser
) -> None:
    """Put what two readings make of doubtful numbers in the place of the first.

    Where they agree, the surer one stays; where they do not, the surer one stays too, but its
    confidence falls to `CONTESTED`, so that a human is asked.
    """
    places = [at for at, reading in enumerate(readings) if doubtful(reading)]
    lines = [_otherwise(image, boxes[at]) for at in places]
    for at, second in zip(places, recogniser.read(lines), strict=True):
        first = readings[at]
        better = max(first, second, key=lambda reading: reading.confidence)
        agree = folded(first.text) == folded(second.text)
        readings[at] = better if agree else better.capped(CONTESTED)


def _otherwise(image: Bytes, box: Box) -> Bytes:
    """The line with a rim around it, set smaller on its own ground."""
    _, across = sides(box)
    middle = box.mean(axis=0)
    outward = box - middle
    length = np.linalg.norm(outward, axis=1, keepdims=True)
    wider = box + outward / np.maximum(length, 1e-6) * (across * _WIDER)
    height, width = image.shape[:2]
    line = cut(image, wider.clip((0, 0), (width - 1, height - 1)).astype(np.float32), _LOWER)
    above = (HEIGHT - _LOWER) // 2
    framed: Bytes = cv2.copyMakeBorder(
        line, above, HEIGHT - _LOWER - above, 0, 0, cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    return framed
