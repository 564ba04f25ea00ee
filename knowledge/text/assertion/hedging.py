"""Findings beside a denying word that no rule explains: each may be denied, so none is certain."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import chain

from knowledge.text.assertion.lists import listed_before
from knowledge.text.assertion.marks import Cue, Cues, Terms
from knowledge.text.document import Range

_AHEAD, _BEHIND = 2, 10
_MARKS = " ,，;；。、!?\n\r\t)"
_DENYING = re.compile(
    r"[无未没否非不阴]|排除|除外|(?<![a-z])(?:no|not|none|neg|negative|absent|without|denies)(?![a-z])"
)


def hedged(
    folded: str, terms: Terms, cues: Cues, clause_of: Callable[[int], Range]
) -> Iterator[int]:
    """Numbers of the terms right behind such a word, or before it with their list."""
    explained = bytearray(len(folded) + 1)

    def says_something(cue: Cue) -> bool:
        """A denial with nothing behind it in its clause denies what stands before."""
        forward = cue.rule.category == "deny" and cue.rule.direction == ">"
        return not forward or bool(folded[cue.end : clause_of(cue.start).end].strip(_MARKS))

    for start, end in chain(
        ((cue.start, cue.end) for cue in cues if says_something(cue)),
        ((match.start, match.end) for match in terms.matches),
    ):
        explained[start:end] = b"\1" * (end - start)

    def is_unexplained(start: int, end: int) -> bool:
        words = _DENYING.finditer(folded, start, end)
        return any(not any(explained[word.start() : word.end()]) for word in words)

    for index, match in enumerate(terms.matches):
        clause = clause_of(match.start)
        if is_unexplained(max(clause.start, match.start - _AHEAD), match.start):
            yield index
        behind = min(clause.end, match.end + _BEHIND)
        if is_unexplained(match.end, terms.next_start(match.end, behind)):
            yield from listed_before(folded, terms, index, clause.start)
