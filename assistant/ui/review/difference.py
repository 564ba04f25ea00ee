"""What only one of two texts says, marked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import Indel

from assistant.ui.markup import esc

_PIECE = re.compile(r"[A-Za-z0-9.%/]+|\s+|.", re.DOTALL)
_SENTENCE = re.compile(r"[^。；\n]*[。；\n]?")
MOST_PIECES = 6_000
"""Longer texts are compared by sentence: the time grows with the square."""


def marked(a: str, b: str) -> tuple[str, str]:
    """Both texts as HTML; a number is never marked in part."""
    pieces = _PIECE.findall(a), _PIECE.findall(b)
    if max(map(len, pieces)) > MOST_PIECES:
        pieces = _SENTENCE.findall(a), _SENTENCE.findall(b)
    left, right = pieces
    told: tuple[list[str], list[str]] = [], []
    for step in Indel.opcodes(left, right):
        mine, other = left[step.src_start : step.src_end], right[step.dest_start : step.dest_end]
        only = step.tag != "equal"
        told[0].append(_html(mine, only))
        told[1].append(_html(other, only))
    return "".join(told[0]), "".join(told[1])


def _html(pieces: Sequence[str], only: bool) -> str:
    text = esc("".join(pieces))
    return f"<mark>{text}</mark>" if only and text.strip() else text
