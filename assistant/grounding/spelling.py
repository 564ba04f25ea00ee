"""One spelling of what is written in several: 8时40分 and 08:40, 每分钟118次 and 118次/分.

The checks read the record and the statement in that spelling, so that equal facts are equal however
they are written.  ``data/spellings.tsv`` has one way of writing a row, with an example; the names
of illnesses that stand in letters alone are those of the terms that ship.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

_HALF_WIDTH = {
    code: code - 0xFEE0
    for first, last in ((0xFF10, 0xFF19), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A))
    for code in range(first, last + 1)
}
"""Figures and letters alone: the marks of a text part its clauses, and stay as they are."""


@dataclass(frozen=True, slots=True)
class Spelled:
    """A text in the one spelling; ``origin`` has for each place of it where it stood, and the end
    of the original last."""

    text: str
    origin: tuple[tuple[int, int], ...]
    original: str

    def written(self, words: str) -> str:
        """``words`` of the text as the original has them; themselves where they do not stand."""
        at = self.text.find(words) if words else -1
        if at < 0 or self.text == self.original:
            return words
        return self.original[self.origin[at][0] : self.origin[at + len(words) - 1][1]]


@cache
def spelling_rows() -> list[list[str]]:
    """The rows of the table: pattern, replacement, an example, what it becomes."""
    text = (files("assistant.grounding") / "data" / "spellings.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(row[0]), row[1]) for row in spelling_rows()]


def spelled(text: str) -> Spelled:
    """``text`` in the one spelling."""
    now, origin = text, tuple((at, at + 1) for at in range(len(text)))
    for pattern, replacement in _rules():
        pieces: list[str] = []
        places: list[tuple[int, int]] = []
        at = 0
        for hit in pattern.finditer(now.translate(_HALF_WIDTH)):
            if hit.start() == hit.end():
                continue
            words = hit.expand(replacement)
            whole = (origin[hit.start()][0], origin[hit.end() - 1][1])
            pieces += [now[at : hit.start()], words]
            places += [*origin[at : hit.start()], *[whole] * len(words)]
            at = hit.end()
        if at:
            now, origin = "".join([*pieces, now[at:]]), (*places, *origin[at:])
    return Spelled(now, origin, text)
