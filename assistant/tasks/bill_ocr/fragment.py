"""Pieces of text on a page, each character with its place, on axes that lie along the text.

A reader of pages gives lines, and often runs the cells of a table together.  A fragment is what
stands without a gap; it can be cut anywhere, and each part still knows its box in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from assistant.record.evidence import Rectangle
from serving.ocr.line import TextLine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

ToOriginal = Callable[[float, float], tuple[float, float]]
GAP = 0.7
"""A gap of so many widths of a Chinese character parts two fragments."""
_STEEPEST = 0.1
_BENT = 0.06
_ENOUGH = 8
_STEPS = 81
_HELD = 0.15


@dataclass(frozen=True, slots=True)
class Fragment:
    """``starts`` and ``ends`` are the x of each character; ``first`` is its number in ``line``."""

    text: str
    starts: tuple[float, ...]
    ends: tuple[float, ...]
    top: float
    bottom: float
    confidence: float
    line: TextLine
    first: int

    @property
    def left(self) -> float:
        return self.starts[0]

    @property
    def right(self) -> float:
        return self.ends[-1]

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        return self.bottom - self.top

    def part(self, start: int, end: int) -> Fragment:
        """Characters from ``start`` up to but not including ``end``."""
        return Fragment(
            self.text[start:end], self.starts[start:end], self.ends[start:end],
            self.top, self.bottom, self.confidence, self.line, self.first + start,
        )  # fmt: skip


def width_of(character: str) -> float:
    """Of a character, in widths of a Chinese one."""
    if ord(character) > 0x2E7F or character in "↑↓℃Ⅰ":
        return 1.0
    return 0.85 if character in "WM%@" else 0.65 if character.isupper() else 0.5


def _edges(line: TextLine, length: float) -> tuple[list[float], list[float], float]:
    """Where each character starts and ends along its line, and the width of a Chinese one."""
    widths = [width_of(character) for character in line.text]
    if len(line.ends) != len(line.text):
        step = length / sum(widths)
        ends, at = [], 0.0
        for width in widths:
            at += width * step
            ends.append(at)
    else:
        ends = list(line.ends)
    before = [0.0, *ends[:-1]]
    steps = [(e - b) / w for b, e, w in zip(before, ends, widths, strict=True) if e > b]
    em = min(median(steps) if steps else length, _height(line) * 1.1)
    starts = [max(b, e - w * em * 1.15) for b, e, w in zip(before, ends, widths, strict=True)]
    return starts, ends, em


def _height(line: TextLine) -> float:
    a, b, c, d = line.corners
    return (math.dist(a, d) + math.dist(b, c)) / 2


@dataclass(frozen=True, slots=True)
class Flattening:
    """How steeply text stands where: slope = level + down × y + along × x.

    A photo from aslant makes the slope change down the page, a page that curls makes it change
    along the line.  ``straight`` gives places on axes on which every line is level.
    """

    level: float = 0.0
    down: float = 0.0
    along: float = 0.0

    def straight(self, x: float, y: float) -> tuple[float, float]:
        """(x, y) of the picture on the page's own axes."""
        rise = self.level * x + self.down * x * y + self.along * x * x / 2
        return x + self.level * y, y - rise


def flattening(lines: Sequence[TextLine]) -> Flattening:
    """The axes on which the ends of lines fall into the sharpest rows.

    The slope of one box says little, since label and value may be printed at two heights; that
    the ends of all lines gather in few rows says much.  Each of the three terms is searched in
    turn, the small ones last.
    """
    import numpy as np

    ends = [end for line in lines if len(line.text) > 1 for end in _ends(line)]
    if len(ends) < 2 * _ENOUGH:
        return Flattening(_weighted_median([_slope(line) for line in lines if len(line.text) > 3]))
    points = np.array(ends)
    height = float(np.median([_height(line) for line in lines]))
    size = np.ptp(points, axis=0) + 1.0
    found = [0.0, 0.0, 0.0]
    # The most that each term may turn the page by, in slope at its edge.
    reach = (_STEEPEST, _BENT / size[1], _BENT / size[0])
    for term, narrow in ((0, 1.0), (1, 1.0), (2, 1.0), (0, 0.1), (1, 0.3), (2, 0.3)):
        around = np.linspace(-1, 1, _STEPS) * reach[term] * narrow + found[term]
        scores = []
        for value in around:
            tried = [*found[:term], float(value), *found[term + 1 :]]
            scores.append(_sharpness(points, tried, height) - _HELD * abs(value) / reach[term])
        found[term] = float(around[int(np.argmax(scores))])
    return Flattening(*found)


def _upright(line: TextLine) -> TextLine:
    """A narrow figure may be taken for one that lies on its side: its box begins at the wrong
    corner."""
    (x0, y0), (x1, y1) = line.corners[0], line.corners[1]
    if len(line.text) > 2 or abs(y1 - y0) <= abs(x1 - x0):
        return line
    left, top = min(x for x, _ in line.corners), min(y for _, y in line.corners)
    right, bottom = max(x for x, _ in line.corners), max(y for _, y in line.corners)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return TextLine(line.text, corners, line.confidence)


def _ends(line: TextLine) -> tuple[tuple[float, float], tuple[float, float]]:
    a, b, c, d = line.corners
    return ((a[0] + d[0]) / 2, (a[1] + d[1]) / 2), ((b[0] + c[0]) / 2, (b[1] + c[1]) / 2)


def _slope(line: TextLine) -> tuple[float, float]:
    """(slope, length) of a line."""
    (x0, y0), (x1, y1) = _ends(line)
    return (y1 - y0) / max(1.0, x1 - x0), math.dist((x0, y0), (x1, y1))


def _sharpness(points: Numbers, terms: Sequence[float], height: float) -> float:
    """How much the points gather in rows: the mean of their density, smoothed by a fifth of a
    letter's height, in points a row; 1 where every point stands alone."""
    import numpy as np

    x, y = points[:, 0], points[:, 1]
    level = y - terms[0] * x - terms[1] * x * y - terms[2] * x * x / 2
    bins = np.floor((level - level.min()) / (height / 5)).astype(int)
    counts = np.bincount(bins, minlength=int(bins.max()) + 1).astype(float)
    smooth = np.convolve(counts, (0.25, 0.75, 1.0, 0.75, 0.25), mode="same")
    return float((smooth[bins]).mean())


def _weighted_median(values: Sequence[tuple[float, float]]) -> float:
    half, seen = sum(weight for _, weight in values) / 2, 0.0
    for value, weight in sorted(values):
        seen += weight
        if seen >= half:
            return value
    return 0.0


def fragments(lines: Sequence[TextLine]) -> list[Fragment]:
    """The fragments of a page, in no order."""
    lines = [_upright(line) for line in lines]
    flat = flattening(lines)
    found: list[Fragment] = []
    for line in lines:
        if line.text.strip():
            found += _cut(line, flat)
    return found


def _cut(line: TextLine, flat: Flattening) -> list[Fragment]:
    turned = [flat.straight(x, y) for x, y in line.corners]
    length = max(1.0, math.dist(line.corners[0], line.corners[1]))
    left = (turned[0][0] + turned[3][0]) / 2
    right = (turned[1][0] + turned[2][0]) / 2
    stretch = (right - left) / length
    starts, ends, em = _edges(line, length)
    em = max(em, 0.6 * _height(line))
    parts: list[Fragment] = []
    begin: int | None = None
    for index in range(len(line.text) + 1):
        at_end = index == len(line.text)
        space = at_end or line.text[index].isspace()
        gap = not at_end and begin is not None and starts[index] - ends[index - 1] > GAP * em
        if begin is not None and (space or gap):
            share = ((starts[begin] + ends[index - 1]) / 2) / length
            top = turned[0][1] + (turned[1][1] - turned[0][1]) * share
            bottom = turned[3][1] + (turned[2][1] - turned[3][1]) * share
            parts.append(
                Fragment(
                    line.text[begin:index],
                    tuple(left + s * stretch for s in starts[begin:index]),
                    tuple(left + e * stretch for e in ends[begin:index]),
                    top,
                    max(bottom, top + 1),
                    line.confidence,
                    line,
                    begin,
                )
            )
            begin = None
        if not space and begin is None:
            begin = index
    return parts


def box_of(parts: Sequence[Fragment], to_original: ToOriginal) -> Rectangle | None:
    """The rectangle in the picture as it came that holds all of ``parts``."""
    points = []
    for part in parts:
        line = part.line
        length = max(1.0, math.dist(line.corners[0], line.corners[1]))
        starts, ends, _ = _edges(line, length)
        span = (starts[part.first] / length, ends[part.first + len(part.text) - 1] / length)
        a, b, c, d = line.corners
        for share in span:
            points.append((a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share))
            points.append((d[0] + (c[0] - d[0]) * share, d[1] + (c[1] - d[1]) * share))
    if not points:
        return None
    places = [to_original(x, y) for x, y in points]
    left, top = (max(0, math.floor(min(p[axis] for p in places))) for axis in (0, 1))
    right, bottom = (math.ceil(max(p[axis] for p in places)) for axis in (0, 1))
    return Rectangle(x=left, y=top, width=max(1, right - left), height=max(1, bottom - top))
