"""Where a note leaves a relative for the patient again, and which illness is a relative's."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from knowledge.text.assertion.lists import listed_before
from knowledge.text.assertion.marks import Cue, Terms
from knowledge.text.document import Range

# The relative's own course, in which an examination is the relative's too.
_OWN_COURSE = re.compile(r"就诊|住院|入院|手术|因(?!素)|治疗|服药|死于|确诊")
# Behind a relative, what happened to the patient then: 照顾偏瘫的老伴时扭伤.
_THEN = ("时", "后", "期间")


def patient_again(folded: str, terms: Terms, cue: Cue, limit: int, starts: Sequence[int]) -> int:
    """Where the patient's own examination begins, else ``limit``: at one of ``starts``, once
    something was said of the relative whom ``cue`` names, unless the relative's own course is told
    (父亲因腹痛就诊，胃镜示胃癌)."""
    said = terms.inside(cue.end, limit)
    if not said:
        return limit
    first = terms.matches[said[0]].end
    for start in starts[bisect_left(starts, first) : bisect_left(starts, limit)]:
        if not _OWN_COURSE.search(folded, cue.end, start):
            return start
    return limit


def owned(folded: str, terms: Terms, cue: Cue, clause: Range, end: int) -> list[int]:
    """Numbers of the terms that belong to the relative behind 的 (照顾偏瘫的老伴后腰痛): those just
    before it, and those up to ``end`` in the clause, unless they happened to the patient then."""
    before = terms.inside(clause.start, cue.start)
    if cue.rule.direction != ">" or folded[cue.start] != "的" or not before:
        return []
    if terms.matches[before[-1]].end != cue.start:
        return []
    listed = listed_before(folded, terms, before[-1], clause.start)
    if folded.startswith(_THEN, cue.end):
        return listed
    return [*listed, *terms.inside(cue.end, end)]
