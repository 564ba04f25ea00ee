"""Where a note leaves a relative for the patient again."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from knowledge.text.assertion.marks import Cue, Terms

# The relative's own course, in which an examination is the relative's too.
_OWN_COURSE = re.compile(r"就诊|住院|入院|手术|因(?!素)|治疗|服药|死于|确诊")


def patient_again(folded: str, terms: Terms, cue: Cue, limit: int, starts: Sequence[int]) -> int:
    """Where the patient's own examination begins, else ``limit``: at one of ``starts``, once
    something was said of the relative whom ``cue`` names, unless the relative's own course is told
    (父亲因腹痛就诊，胃镜示胃癌)."""
    owned = terms.inside(cue.end, limit)
    if not owned:
        return limit
    first = terms.matches[owned[0]].end
    for start in starts[bisect_left(starts, first) : bisect_left(starts, limit)]:
        if not _OWN_COURSE.search(folded, cue.end, start):
            return start
    return limit
