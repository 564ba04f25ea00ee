"""How an illness began: how long ago, suddenly or again and again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from knowledge.clinical.entry import Onset
from knowledge.text.phrases import phrases_of

_PHRASES = phrases_of("knowledge.clinical", "onset.tsv")
_LENGTHS: Final[tuple[Onset, ...]] = ("hours", "days", "weeks", "months", "years")
_LENGTH = _PHRASES.any_named({name: name for name in _LENGTHS})
_MANNERS: Final[tuple[Onset, ...]] = ("sudden", "recurrent")


def onset_of(texts: Sequence[str]) -> frozenset[Onset]:
    """How long ago it began, by the first length of time that a text tells, and whether it came
    suddenly or comes again and again."""
    found: set[Onset] = set()
    for text in texts:
        found |= {manner for manner in _MANNERS if _PHRASES[manner].search(text)}
        length = _first_length(_PHRASES["no_length"].sub("，", text))
        if length is not None:
            found.add(length)
    return frozenset(found)


def _first_length(text: str) -> Onset | None:
    """The unit of the first length of time."""
    for hit in _LENGTH.finditer(text):
        if _PHRASES["number"].search(text, max(0, hit.start() - 8), hit.start()):
            return next(length for length in _LENGTHS if length == hit.lastgroup)
    return None
