"""Long texts in overlapping windows, and each span judged by exactly one of them.

A span is judged by the window that holds it and in which it lies farthest from a cut, where the
most of what stands around it is seen.  So no span is found twice, and none that is not longer than
the overlap is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TokenSpan = tuple[int, int, int, float]
"""(type, first token, last token, score)."""


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens ``start`` to ``end`` (exclusive) of a text."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Tokens in it."""
        return self.end - self.start


def windows(length: int, size: int, overlap: int) -> list[Window]:
    """The fewest windows of at most ``size`` tokens that cover ``length`` tokens and share
    ``overlap`` or more with their neighbours; all of one length, so that none is padded.

    Raises:
        ValueError: the overlap is larger than half a window.
    """
    if not 0 <= overlap <= size // 2:
        raise ValueError(f"an overlap of {overlap} does not fit windows of {size}")
    if length <= size:
        return [Window(0, length)] if length else []
    count = -(-(length - overlap) // (size - overlap))
    equal = -(-(length + (count - 1) * overlap) // count)
    starts = [min(index * (equal - overlap), length - equal) for index in range(count)]
    return [Window(start, start + equal) for start in starts]


def merged(
    found: Sequence[Sequence[TokenSpan]], parts: Sequence[Window], length: int
) -> Iterator[TokenSpan]:
    """Spans of the text from those of its windows; ``found[k]`` counts from ``parts[k].start``."""
    for index, (spans, part) in enumerate(zip(found, parts, strict=True)):
        for kind, first, last, score in spans:
            begin, end = first + part.start, last + part.start
            if _judge(begin, end, parts, index, length) == index:
                yield kind, begin, end, score


def _judge(first: int, last: int, parts: Sequence[Window], near: int, length: int) -> int:
    """The window that decides on a span which window ``near`` holds."""
    best, most = near, -1
    for index in range(max(0, near - 2), min(len(parts), near + 3)):
        part = parts[index]
        if part.start <= first and last < part.end:
            left = length if part.start == 0 else first - part.start
            right = length if part.end == length else part.end - 1 - last
            if min(left, right) > most:
                best, most = index, min(left, right)
    return best
