"""The events of the stay that a section has to tell, and what a written section lacks of them."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.course.event import CourseEvent, EventKind
from assistant.course.stay import compare, events_of
from assistant.draft import Statement
from assistant.grounding.segments import Segment, segment_notes
from assistant.record.encounter import Encounter
from assistant.record.evidence import Evidence
from assistant.record.note import Note
from assistant.tasks.discharge.draft import SectionName
from assistant.tasks.discharge.header import admission_day

_SECTIONS: dict[EventKind, SectionName] = {
    "admission_reason": "admission_condition",
    "discharge_condition": "discharge_condition",
    "discharge_drug": "discharge_orders",
    "pending_result": "discharge_orders",
    "advice": "discharge_orders",
}
LEAST = 3
"""Events that are worth an outline; with fewer the notes are shown as they stand."""


class Outline:
    """The events of an encounter, by the section that tells them."""

    def __init__(
        self, encounter: Encounter, notes: Sequence[Note], segments: Sequence[Segment]
    ) -> None:
        self._drugs = [m.name for m in encounter.medications]
        self._came = encounter.admitted_at.date() if encounter.admitted_at else None
        self._events = events_of(encounter, notes, segments)

    def of(self, section: SectionName) -> list[CourseEvent]:
        """The events of a section in their order."""
        return [e for e in self._events if self._section(e) == section]

    def _section(self, event: CourseEvent) -> SectionName:
        first = event.kind == "result" and not event.again
        if first and self._came is not None and event.day == self._came:
            return "admission_condition"
        return _SECTIONS.get(event.kind, "hospital_course")

    def lines(self, section: SectionName) -> list[str]:
        """The must-have events as lines for the model, those of one day together.

        Without their dates: a model that moves one to the next sentence makes a true one false.
        """
        must = [e for e in self.of(section) if _must(e)]
        return [text.removeprefix(when) for when, text, _ in _joined(must)]

    def lacking(self, section: SectionName, text: str) -> list[CourseEvent]:
        """The events of a section that a text does not tell."""
        return compare(self.of(section), text, drugs=self._drugs).lacking

    def complete(
        self, section: SectionName, statements: Sequence[Statement]
    ) -> tuple[list[Statement], list[Statement]]:
        """(sentences that must be added, sentences that may be) to what is written.

        What nothing supports does not count as told.
        """
        written = "\n".join(s.text for s in statements if s.status == "supported")
        lacking = self.lacking(section, written)
        must = [e for e in lacking if _must(e)]
        return (
            _statements(f"{section}-event", must),
            _statements(f"{section}-offer", [e for e in lacking if not _must(e)]),
        )


def left_out(encounter: Encounter | None, section: SectionName, text: str) -> list[str]:
    """Sentences for the must-have events of a section that a text does not tell."""
    if encounter is None:
        return []
    notes = encounter.all_notes()
    outline = Outline(encounter, notes, segment_notes(notes, admission_day(encounter, notes)))
    return [e.text for e in outline.lacking(section, text) if _must(e)]


def _must(event: CourseEvent) -> bool:
    return event.importance == "must"


def _statements(prefix: str, events: Sequence[CourseEvent]) -> list[Statement]:
    return [
        Statement(
            id=f"{prefix}{number}",
            text=text,
            status="supported",
            origin="record",
            evidence=evidence,
        )
        for number, (_, text, evidence) in enumerate(_joined(events), 1)
    ]


def _joined(events: Sequence[CourseEvent]) -> list[tuple[str, str, list[Evidence]]]:
    """(date, sentence, places) of events, those that stand under one date in one sentence."""
    groups: list[tuple[str, list[str], list[Evidence]]] = []
    for event in events:
        if not groups or groups[-1][0] != event.when or not event.when:
            groups.append((event.when, [], []))
        _, matters, evidence = groups[-1]
        if event.matter not in matters:
            matters.append(event.matter)
            evidence += [e for e in event.evidence if e not in evidence]
    return [(when, f"{when}{'，'.join(matters)}。", places) for when, matters, places in groups]
