"""What a statement says an examination showed must be what that one showed in the record."""

from __future__ import annotations

import re

from assistant.grounding.check import Check
from assistant.grounding.examinations import result_words

_ENOUGH = 0.7
"""Share of the words of the likest result that the examination's own must have."""


def check_examinations(check: Check) -> None:
    """The result that is most like the statement's must be of the same examination."""
    written = [(r, r.words) for s in check.sources for r in s.results]
    for said in check.said.results:
        told = re.split(r"[,，]", said.text.lstrip(" ，,：:"))[0]
        words = result_words(told) if said.examinations else set()
        best = max((len(words & theirs) for _, theirs in written), default=0)
        own = max((len(words & theirs) for r, theirs in written if said.is_of(r)), default=0)
        if own < _ENOUGH * best:
            check.problem("no_evidence", told.strip())
