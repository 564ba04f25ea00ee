"""Pages laid flat: the axes on which lines of text are level, whatever the camera did."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from serving.ocr.line import TextLine

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

_STEEPEST = 0.1
_BENT = 0.06
_ENOUGH = 8
_STEPS = 81
_HELD = 0.15


def height_of(line: TextLine) -> float:
    """Of a line's letters in pixels."""
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
    height = float(np.median([height_of(line) for line in lines]))
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


def upright(line: TextLine) -> TextLine:
    """A narrow figure may be taken for one that lies on its side: its box begins at the wrong
    corner."""
    (x0, y0), (x1, y1) = line.corners[0], line.corners[1]
    if len(line.text) > 2 or abs(y1 - y0) <= abs(x1 - x0):
        return line
    left, top = min(x for x, _ in line.corners), min(y for _, y in line.corners)
    right, bottom = max(x for x, _ in line.corners), max(y for _, y in line.corners)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return replace(line, corners=corners, ends=())


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
