"""Texts that a scanner set wide, a blank behind each character: 肺 癌 待 排."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from knowledge.text.lexicon import Match

_ALONE = re.compile(r"(?<![^\s,;:。、!?()])[\u4e00-\u9fff](?= )")
_WRITTEN = re.compile(r"[\u4e00-\u9fff]")
# Of all characters, how many stand alone in a text that is set wide.
_SHARE = 0.6
_FEW = 6


def is_wide_set(folded: str) -> bool:
    """Whether most characters of a folded text stand alone between blanks."""
    alone = sum(1 for _ in _ALONE.finditer(folded))
    return alone >= _FEW and alone >= _SHARE * sum(1 for _ in _WRITTEN.finditer(folded))


def closed_up(text: str, matches: Sequence[Match]) -> tuple[str, list[Match]]:
    """The text without its blanks, and the matches at their places in it."""
    kept = [place for place, character in enumerate(text) if character not in " \t\u3000"]
    moved = [
        replace(match, start=bisect_left(kept, match.start), end=bisect_left(kept, match.end))
        for match in matches
    ]
    return "".join(text[place] for place in kept), moved
