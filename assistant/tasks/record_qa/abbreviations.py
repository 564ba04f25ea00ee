"""What doctors type short, written out."""

from __future__ import annotations

import re
from functools import cache

from assistant.tasks.record_qa.tests import table
from knowledge.text.folding import fold


@cache
def _short() -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(p), long) for p, long, _ in table("abbreviations.tsv")]


def written_out(text: str) -> str:
    """The text, folded, with its abbreviations written out."""
    folded = fold(text)
    for pattern, long in _short():
        folded = pattern.sub(long, folded)
    return folded
