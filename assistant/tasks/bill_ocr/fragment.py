"""Pieces of text on a page, each character with its place, on axes that lie along the text.

A reader of pages gives lines, and often runs the cells of a table together.  A fragment is what
stands without a gap; it can be cut anywhere, and each part still knows its box in the picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from assistant.record.evidence import Rectangle
from assistant.tasks.bill_ocr.flattening import Flattening, flattening, height_of, upright
from serving.ocr.line import TextLine

ToOriginal = Callable[[float, float], tuple[float, float]]
GAP = 0.7
"""A gap of so many widths of a Chinese character parts two fragments."""


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
    em = min(median(steps) if steps else length, height_of(line) * 1.1)
    starts = [max(b, e - w * em * 1.15) for b, e, w in zip(before, ends, widths, strict=True)]
    return starts, ends, em


def fragments(lines: Sequence[TextLine]) -> list[Fragment]:
    """The fragments of a page, in no order."""
    lines = [upright(line) for line in lines]
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
    em = max(em, 0.6 * height_of(line))
    parts: list[Fragment] = []
    begin: int | None = None
    for index in range(len(line.text) + 1):
        at_end = index == len(line.text)
        space = at_end or (line.text[index].isspace() and not _in_words(line, index, em))
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


def _in_words(line: TextLine, index: int, em: float) -> bool:
    """Whether the space at ``index`` parts two words of one Latin phrase."""
    before, after = line.text[index - 1 : index], line.text[index + 1 : index + 2]
    if not (before.isascii() and (before.isalpha() or before in ".,'")):
        return False
    if not before or not (after.isascii() and after.isalpha()):
        return False
    starts, ends, _ = _edges(line, max(1.0, math.dist(line.corners[0], line.corners[1])))
    return starts[index + 1] - ends[index - 1] <= em


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
