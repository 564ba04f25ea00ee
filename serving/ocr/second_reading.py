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

from serving.ocr.alphabet import MEASURES, folded
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
# A rule of a table: how much darker than paper, how much of the way, how near an edge if it lies.
_INKED, _EDGE_TO_EDGE, _RIM = 60.0, 0.94, 0.2
CONTESTED = 0.5
"""The confidence of a number that two readings disagree on, at most."""


def doubtful(reading: Reading) -> bool:
    """Whether a reading is mostly a number or a measure word, and one of its characters is unsure;
    any other character that stands alone may be a figure or a measure word."""
    digits = sum(character.isdigit() for character in reading.text)
    number = bool(digits) and digits >= _DIGITS * len(reading.text)
    alone = len(reading.text) == 1
    if alone and not digits and reading.text not in MEASURES:
        return True
    return (number or alone) and reading.least < _SURE


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
    return lambda lines: unruled(cut(image, inside, lines))


def unruled(line: Bytes) -> Bytes:
    """A line without the rules of a table beside it: ink from edge to edge.

    Of a narrow cell the rule is so near that it is read as a part of the character.
    """
    grey = cv2.cvtColor(line, cv2.COLOR_RGB2GRAY)
    paper = float(np.percentile(grey, _LIGHT))
    ink = (grey < paper - _INKED).astype(np.uint8)
    rim = max(1, round(_RIM * line.shape[0]))
    # A rule leans a little: it is ink in one of three columns that stand together.
    across = cv2.dilate(ink, np.ones((1, 3), np.uint8)).mean(axis=0) > _EDGE_TO_EDGE
    down = cv2.dilate(ink, np.ones((3, 1), np.uint8)).mean(axis=1) > _EDGE_TO_EDGE
    down[rim:-rim] = False
    if not across.any() and not down.any():
        return line
    clear = line.copy()
    ground = np.median(line[ink == 0], axis=0) if (ink == 0).any() else np.full(3, 255)
    clear[:, across] = ground
    clear[down] = ground
    return clear


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
