"""The date that a sentence leads with holds for those behind it: 3月5日血常规…。CRP 56mg/L。"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.grounding.segments import Scope, Segment
from knowledge.text.dates import WrittenDate, dates

# How far from the beginning of its sentence a date still leads it: 患者于3月5日…, 急诊3月5日….
_LEADING = 8
# What names another time.
_ELSE = re.compile(
    r"[今昨现前次翌]日|[今昨][晨晚夜天]|目前|现(?!病史|象)|入院|出院|术[前后]|随后|此后|\d+[天日周月年]|"
    r"既往|曾|查房|查体"
)
_HISTORY = re.compile(r"史$|查体|体格检查|诊断|计划|医嘱")


def carried(segments: Sequence[Segment]) -> Iterator[WrittenDate | None]:
    """For each of ``segments`` the date before it in its note and section that it is still of."""
    day: WrittenDate | None = None
    before: Segment | None = None
    for segment in segments:
        if before is None or (segment.note_id, segment.section) != (
            before.note_id,
            before.section,
        ):
            day = None
        before = segment
        found = dates(segment.text)
        if found:
            yield None
            leads = found[0].start <= _LEADING and len(found) == 1
            day = found[0] if leads else None
            continue
        if segment.scope is Scope.REFERENCE or _HISTORY.search(segment.section):
            day = None
        if day is not None and _ELSE.search(segment.text):
            day = None
        yield day
