"""Fragments that stand side by side."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.tasks.bill_ocr.fragment import Fragment

Row = list[Fragment]
_SAME = 0.45


def rows(parts: Sequence[Fragment]) -> list[Row]:
    """The rows of a page from top to bottom, each from left to right.

    A row is followed from left to right, so that a page that is curled keeps its rows.
    """
    found: list[Row] = []
    for part in sorted(parts, key=lambda one: one.left):
        best, least = None, _SAME
        for row in found:
            last = row[-1]
            # Two that stand above each other are of two rows, however near they are.
            if part.left < last.right - 0.6 * last.height:
                continue
            height = min(part.height, last.height)
            apart = abs(part.middle - last.middle) / height
            if apart < least:
                best, least = row, apart
        if best is None:
            found.append([part])
        else:
            best.append(part)
    return sorted(found, key=lambda row: sum(one.middle for one in row) / len(row))


def middle(row: Row) -> float:
    """The y of a row."""
    return sum(part.middle for part in row) / len(row)


def text_of(row: Row) -> str:
    """All of a row, fragments parted by a space."""
    return " ".join(part.text for part in row)
