"""Before or after an event: 输血后, 拔管前, 术后, 入院前.

The event is what stands before 前 or 后; its time is that of the first sentence of the stay which
tells it as done, for an operation and for the stay itself what the head of the record says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time

from assistant.grounding.segments import Scope
from assistant.grounding.source import clause_ranges
from assistant.grounding.stance import NOT_THERE, clause_stances
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.days import days_in
from assistant.tasks.record_qa.head import naive
from assistant.tasks.record_qa.reading import RecordReading
from knowledge.text.folding import fold
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

_SIDE = re.compile(
    r"(?P<lead>[\u4e00-\u9fffa-z0-9]{1,8})(?:之|以)?(?P<side>前|后)"
    r"(?!第|一?[天日次回]|\d|列腺)"
)
_NO_EVENT = re.compile(r"[睡餐饭目之以最今早晚先产天日周月年时期腹]$|空腹|负荷|^[近最]|期间")
_STARTS = (
    ("operation", re.compile(r"术$|手术$|开刀$")),
    ("admission", re.compile(r"[入住来]院?$")),
    ("discharge", re.compile(r"出院$|走$")),
)
_BOTH = re.compile(r"前(?:还是|和|与|跟|、)?[^，。？?]{0,6}?后")
_LONGEST = 6


@dataclass(frozen=True, slots=True)
class Period:
    """The time before, or after, ``at``; ``words`` as they were asked (输血后)."""

    words: str
    event: str
    after: bool
    at: datetime

    def holds(self, when: datetime | None, said: str = "") -> bool:
        """Whether a time is in it; a sentence that says 输血后 itself tells more than its date."""
        if self.event and f"{self.event}后" in said:
            return self.after
        if self.event and f"{self.event}前" in said:
            return not self.after
        if when is None:
            return False
        return when > self.at if self.after else when <= self.at


@dataclass(frozen=True, slots=True)
class Event:
    """What happened and when; ``place`` is the clause that tells it, None for the head's own."""

    words: str
    at: datetime
    place: TextSpan | None = None


def period_of(folded: str, reading: RecordReading) -> Period | None:
    """The period that a question names; None where it names none, or the notes tell no such
    event."""
    if _BOTH.search(folded):
        return None
    for hit in _SIDE.finditer(folded):
        lead, after = hit["lead"], hit["side"] == "后"
        if _NO_EVENT.search(lead):
            continue
        found = event_time(lead, reading)
        if found is not None:
            return Period(f"{found.words}{hit['side']}", found.words, after, found.at)
    return None


def event_time(lead: str, reading: RecordReading) -> Event | None:
    """The event that words end with, and when it was; None where the notes tell none as done."""
    for name, pattern in _STARTS:
        if hit := pattern.search(lead):
            at = {
                "operation": reading.operated,
                "admission": reading.admitted,
                "discharge": reading.left,
            }[name]
            return Event(hit[0], at) if at else None
    for length in range(min(_LONGEST, len(lead)), 1, -1):
        word = lead[-length:]
        if any(m.kind is TermKind.TEST for m in find_terms(word)):
            # A test is no event: 尿素前一次.
            continue
        if told := _told(word, reading):
            return told
    return None


def _told(word: str, reading: RecordReading) -> Event | None:
    """When the notes of the stay first tell something as done: the day that its sentence names, at
    the hour of the note where it is the note's own day."""
    split = rf"{re.escape(word[:1])}[^，。；]{{0,6}}{re.escape(word[1:])}"
    wanted = re.compile(split)
    for note in reading.notes:
        written = naive(note.note.written_at)
        for segment in note.segments:
            if segment.scope is not Scope.STAY:
                continue
            ranges = clause_ranges(segment.text)
            meant = clause_stances(segment.text, ranges)
            for (start, end), stances in zip(ranges, meant, strict=True):
                clause = fold(segment.text[start:end])
                if not wanted.search(clause) or stances & (NOT_THERE | {"undone"}):
                    continue
                named = days_in(segment.text[:end], note.day)
                at = written
                if named and named[-1].day != note.day:
                    at = datetime.combine(named[-1].day, time(23, 59))
                place = note.span(segment.start + start, segment.start + end)
                return Event(word, at, place) if at else None
    return None
