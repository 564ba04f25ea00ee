"""Sentences, clauses and headed sections of a note, as ranges of code points."""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import pairwise

from assistant.tasks.structuring.entity import Section
from knowledge.text.document import SENTENCE_END, Document
from knowledge.text.folding import fold

_CLAUSE_END = re.compile(r"[。;!?\n\r,]|\.(?=\s|$)")
LONGEST = 400
"""A text without full stops is cut here: a sentence is shown as evidence and must stay readable."""


class Ranges:
    """Consecutive ranges that cover a text; each ends with its mark."""

    def __init__(self, edges: list[int]) -> None:
        self._edges = edges

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """All of them, ``[start, end)``."""
        return list(pairwise(self._edges))

    def at(self, position: int) -> tuple[int, int]:
        """The range that holds ``position``."""
        index = min(bisect_right(self._edges, position), len(self._edges) - 1)
        return self._edges[index - 1], self._edges[index]


def _ranges(text: str, mark: re.Pattern[str]) -> Ranges:
    edges = [0]
    for end in [*(hit.end() for hit in mark.finditer(text)), len(text)]:
        while end - edges[-1] > LONGEST:
            edges.append(edges[-1] + LONGEST)
        if end > edges[-1]:
            edges.append(end)
    return Ranges(edges if len(edges) > 1 else [0, 0])


def sentences(text: str) -> Ranges:
    """The sentences of ``text``; none is longer than `LONGEST`."""
    return _ranges(fold(text), SENTENCE_END)


def clauses(text: str) -> Ranges:
    """The clauses of ``text``: what stands between commas and stops."""
    return _ranges(fold(text), _CLAUSE_END)


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without white space at its ends; itself when there is nothing else."""
    inner = text[start:end].strip()
    if not inner:
        return start, end
    left = start + text[start:end].index(inner)
    return left, left + len(inner)


def sections(text: str) -> list[Section]:
    """The headed parts of a note, in its order; what stands before the first heading is in none."""
    return [Section(name=h.name, start=h.start, end=h.end) for h in Document(text).sections]


def section_at(found: list[Section], position: int) -> str:
    """The name of the section that holds ``position``, or ""."""
    index = bisect_right(found, position, key=lambda section: section.start) - 1
    return found[index].name if index >= 0 else ""
