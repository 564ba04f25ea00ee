"""An encounter and a text → what the text leaves out."""

from __future__ import annotations

import time

from assistant.course.event import KIND_ZH, CourseEvent
from assistant.course.stay import compare, events_of
from assistant.record.encounter import Encounter
from assistant.tasks.omissions.draft import Omission, OmissionReport, StayEvent


def checked(encounter: Encounter, text: str) -> OmissionReport:
    """The report; omissions that matter most come first, each kind by day."""
    started = time.perf_counter()
    events = events_of(encounter)
    ids = {id(event): f"e{number}" for number, event in enumerate(events, 1)}
    found = compare(events, text, drugs=[m.name for m in encounter.medications])
    lacking = sorted(found.lacking, key=lambda e: e.importance != "must")
    return OmissionReport(
        omissions=[
            Omission(**_fields(event, ids[id(event)]), suggestion=event.text) for event in lacking
        ],
        covered=[StayEvent(**_fields(event, ids[id(event)])) for event in found.covered],
        seconds=time.perf_counter() - started,
    )


def _fields(event: CourseEvent, name: str) -> dict[str, object]:
    return {
        "id": name,
        "kind": event.kind,
        "title": KIND_ZH[event.kind],
        "importance": event.importance,
        "text": event.text,
        "day": event.day,
        "evidence": list(event.evidence),
    }
