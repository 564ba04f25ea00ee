"""One spelling of what is written in several: 8时40分 and 08:40, 每分钟118次 and 118次/分.

The checks read the record and the statement in that spelling, so that equal facts are equal however
they are written.  ``data/names.tsv`` has what goes by several names, ``data/spellings.tsv`` one way
of writing a row, with an example.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from assistant.grounding.tables import rows
from knowledge.text.lexicon import Lexicon
from knowledge.text.synonyms import TermKind

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


def spelling_rows() -> list[list[str]]:
    """The rows of the table: pattern, replacement, an example, what it becomes."""
    return rows("spellings.tsv")


def name_rows() -> list[list[str]]:
    """The rows of the table: a name, then the others for it with ``|`` between."""
    return rows("names.tsv")


@cache
def _rules() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(row[0]), row[1]) for row in spelling_rows()]


@cache
def _names() -> Lexicon:
    """The other names, and the names themselves, which claim their characters."""
    lexicon = Lexicon()
    for name, others in name_rows():
        for wording in (name, *others.split("|")):
            lexicon.add(wording, name, TermKind.SIGN)
    return lexicon


_LETTER = re.compile(r"[A-Za-z0-9]")

_Change = tuple[int, int, str]


def _renamed(text: str) -> list[_Change]:
    """Where ``text`` has another name, with the name for it; letters stand as whole words."""
    return [
        (hit.start, hit.end, hit.concept)
        for hit in _names().find(text)
        if text[hit.start : hit.end] != hit.concept
        and not (_LETTER.match(text[hit.start]) and _LETTER.match(text[hit.start - 1 : hit.start]))
        and not (_LETTER.match(text[hit.end - 1]) and _LETTER.match(text[hit.end : hit.end + 1]))
    ]


def spelled(text: str) -> Spelled:
    """``text`` in the one spelling."""
    one = Spelled(text, tuple((at, at + 1) for at in range(len(text))), text)
    one = _changed(one, _renamed(text.translate(_HALF_WIDTH)))
    narrow = one.text.translate(_HALF_WIDTH)
    for pattern, replacement in _rules():
        hits = [hit for hit in pattern.finditer(narrow) if hit.end() > hit.start()]
        if hits:
            one = _changed(one, [(h.start(), h.end(), h.expand(replacement)) for h in hits])
            narrow = one.text.translate(_HALF_WIDTH)
    return one


def _changed(one: Spelled, changes: Iterable[_Change]) -> Spelled:
    """``one`` with other words at some places, in their order."""
    pieces: list[str] = []
    places: list[tuple[int, int]] = []
    at = 0
    for start, end, words in changes:
        whole = (one.origin[start][0], one.origin[end - 1][1])
        pieces += [one.text[at:start], words]
        places += [*one.origin[at:start], *[whole] * len(words)]
        at = end
    if not at:
        return one
    rest = one.origin[at:]
    return Spelled("".join([*pieces, one.text[at:]]), (*places, *rest), one.original)
