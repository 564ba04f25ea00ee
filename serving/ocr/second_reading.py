"""Numbers and single characters that were read with doubt are read again: cut otherwise, at other
scales, smoothed.

Print of needles has gaps in its strokes, and faint print has little contrast; each way of looking
closes some of them and opens others.  What any of them gave is kept with the line, so that sums
can tell which is meant.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

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
_LOWER, _LOWEST = 40, 32
_SMOOTH = 1.2
# Percent of the pixels that are darker than ink's and than paper's grey.
_DARK, _LIGHT = 3, 90
CONTESTED = 0.5
"""The confidence of a number that two readings disagree on, at most."""


def doubtful(reading: Reading) -> bool:
    """Whether a reading is mostly a number or a single character, and one of its characters is
    unsure; a lone letter always may be a figure."""
    digits = sum(character.isdigit() for character in reading.text)
    number = bool(digits) and digits >= _DIGITS * len(reading.text)
    alone = len(reading.text) == 1
    letter = alone and reading.text.isascii() and reading.text.isalpha()
    return letter or ((number or alone) and reading.least < _SURE)


def read_again(
    image: Bytes, boxes: Sequence[Box], readings: list[Reading], recogniser: Recogniser
) -> None:
    """Put what several readings make of doubtful numbers in the place of the first.

    The text that has the most confidence in sum is taken.  Where the second reading gave another
    than the first, its confidence falls to `CONTESTED`, so that a human is asked.
    """
    places = [at for at, reading in enumerate(readings) if doubtful(reading)]
    lines = [way(_wider(image, boxes[at])) for at in places for way in _WAYS]
    again = recogniser.read(lines, others=True)
    for number, at in enumerate(places):
        step = len(_WAYS)
        readings[at] = settled([readings[at], *again[number * step : (number + 1) * step]])


def settled(readings: Sequence[Reading]) -> Reading:
    """What several readings of one line come to, the first and the second being the main ones."""
    votes: dict[str, float] = defaultdict(float)
    for reading in readings:
        votes[folded(reading.text)] += reading.confidence
    agree = folded(readings[0].text) == folded(readings[1].text)
    best = max(votes, key=lambda text: votes[text])
    better = max(
        (reading for reading in readings if folded(reading.text) == best),
        key=lambda reading: reading.confidence,
    )
    others = [reading.text for reading in readings]
    others += [other for reading in readings for other in reading.others]
    better = replace(better, others=tuple(dict.fromkeys(others)))
    return better if agree else better.capped(CONTESTED)


def _wider(image: Bytes, box: Box) -> Callable[[int], Bytes]:
    """The line with a rim around it, as high as is asked."""
    _, across = sides(box)
    middle = box.mean(axis=0)
    outward = box - middle
    length = np.linalg.norm(outward, axis=1, keepdims=True)
    wider = box + outward / np.maximum(length, 1e-6) * (across * _WIDER)
    height, width = image.shape[:2]
    inside = wider.clip((0, 0), (width - 1, height - 1)).astype(np.float32)
    return lambda lines: cut(image, inside, lines)


def _lower(line: Callable[[int], Bytes], height: int) -> Bytes:
    """A line set smaller on its own ground."""
    above = (HEIGHT - height) // 2
    framed: Bytes = cv2.copyMakeBorder(
        line(height), above, HEIGHT - height - above, 0, 0, cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    return framed


def _stretched(line: Callable[[int], Bytes]) -> Bytes:
    """A line smoothed, in grey, from black ink to white paper."""
    grey = cv2.GaussianBlur(cv2.cvtColor(line(HEIGHT), cv2.COLOR_RGB2GRAY), (0, 0), _SMOOTH)
    dark, light = np.percentile(grey, (_DARK, _LIGHT))
    wide = (grey.astype(np.float32) - dark) * (255.0 / max(1.0, light - dark))
    stretched: Bytes = cv2.cvtColor(wide.clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2RGB)
    return stretched


_WAYS: tuple[Callable[[Callable[[int], Bytes]], Bytes], ...] = (
    lambda line: _lower(line, _LOWER),
    lambda line: _lower(line, _LOWEST),
    _stretched,
)
