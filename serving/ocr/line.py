"""What a reader of pages finds: a line of text and where it stands."""

from __future__ import annotations

from dataclasses import dataclass

Point = tuple[float, float]
Quadrilateral = tuple[Point, Point, Point, Point]


@dataclass(frozen=True, slots=True)
class TextLine:
    """One line as it was read.

    ``corners`` are pixels of the picture (x, y), clockwise from the start of the text;
    ``confidence`` lies in 0–1; ``ends`` are the x positions (pixels along the line, from its
    start) at which each character ends, as many as ``text`` has, so that a part of a line has a
    place too.  ``others`` are what else a doubtful line was read as, what is likeliest first.
    """

    text: str
    corners: Quadrilateral
    confidence: float
    ends: tuple[float, ...] = ()
    others: tuple[str, ...] = ()
