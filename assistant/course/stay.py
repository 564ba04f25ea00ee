"""The events of a stay in their order, and which of them a text lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from assistant.course.coverage import DraftText, is_drug, plain, same
from assistant.course.event import CourseEvent, EventKind
from assistant.course.notes import NoteEvents
from assistant.course.rows import Rows
from assistant.grounding.known_drugs import drug_names
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import measured
from assistant.grounding.segments import Segment, segment_notes
from assistant.grounding.source import FindingsOf
from assistant.record.encounter import Encounter
from assistant.record.note import Note

_LAST: tuple[EventKind, ...] = (
    "discharge_condition",
    "discharge_drug",
    "pending_result",
    "advice",
)


def events_of(
    encounter: Encounter,
    notes: Sequence[Note] | None = None,
    segments: Sequence[Segment] | None = None,
) -> list[CourseEvent]:
    """What happened in the stay, each thing once, by day; what is for after it last.

    ``notes`` and ``segments`` are those of the encounter, where they have been read before.
    """
    notes = encounter.all_notes() if notes is None else notes
    if segments is None:
        came = encounter.admitted_at
        segments = segment_notes(notes, came.date() if came else None)
    names = drug_names(m.name for m in encounter.medications)
    events = [
        *Rows(encounter).events(),
        *NoteEvents(encounter, notes, segments, names).events(),
    ]
    found: list[CourseEvent] = []
    alike: dict[tuple[str, ...], list[CourseEvent]] = {}
    for event in events:
        others = alike.setdefault(_likeness(event), [])
        if not any(_is_same(event, other) for other in others):
            others.append(event)
            found.append(event)
    found.sort(key=_place)
    return found


def _place(event: CourseEvent) -> tuple[int, date]:
    late = 1 + _LAST.index(event.kind) if event.kind in _LAST else 0
    late = -1 if event.kind == "admission_reason" else late
    return late, event.day or date.max


def _likeness(event: CourseEvent) -> tuple[str, ...]:
    """What two events have in common that may be one, so that few are compared."""
    if event.values:
        one = event.values[0]
        read = _read(one.test, one.written)
        number = str(read[0].quantity.values) if read else one.written
        return event.kind, number
    if event.drugs and event.kind == "drug":
        return event.kind, same(event.drugs[0])[:2]
    return (event.kind,) if event.kind == "operation" else (event.kind, event.text)


@lru_cache(maxsize=4096)
def _read(test: str, written: str) -> tuple[Measured, ...]:
    return tuple(measured(f"{test} {written}"))


def _is_same(event: CourseEvent, other: CourseEvent) -> bool:
    """Whether ``other``, which came before, tells the same."""
    if event.drugs and event.kind == "drug" and other.kind == "drug":
        return all(any(is_drug(d, o) for o in other.drugs) for d in event.drugs)
    if event.values and other.values and event.kind == other.kind:
        mine = _read(event.values[0].test, event.values[0].written)
        theirs = _read(other.values[0].test, other.values[0].written)
        if mine and theirs:
            return mine[0].is_of(theirs[0]) and mine[0].says_the_same(theirs[0])
        return event.values == other.values
    if event.kind == "operation" == other.kind:
        whole = "".join(map(plain, other.words))
        return all(plain(w) in whole for w in event.words) or (
            event.day == other.day and plain("".join(event.words)).endswith(whole[-4:])
        )
    return event.kind == other.kind and event.text == other.text


@dataclass(frozen=True, slots=True)
class Compared:
    """The events that a text tells, and those that it lacks."""

    covered: list[CourseEvent]
    lacking: list[CourseEvent]


def compare(
    events: Sequence[CourseEvent],
    text: str,
    *,
    drugs: Sequence[str] = (),
    findings_of: FindingsOf | None = None,
) -> Compared:
    """Hold a text against the events of a stay; an empty text tells none."""
    draft = (
        DraftText(text, drugs=drugs, findings_of=findings_of)
        if findings_of is not None
        else DraftText(text, drugs=drugs)
    )
    covered: list[CourseEvent] = []
    lacking: list[CourseEvent] = []
    for event in events:
        (covered if draft.tells(event) else lacking).append(event)
    return Compared(covered, lacking)
