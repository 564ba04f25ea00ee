"""An encounter read once: its notes with what they name and mean, its rows with their places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from assistant.grounding.measured import Measured
from assistant.grounding.measuring import measured
from assistant.grounding.segments import Scope, Segment, segment_note
from assistant.record.diagnosis import diagnosis_line
from assistant.record.encounter import RESERVED, Encounter
from assistant.record.evidence import TextSpan
from assistant.record.medication import medication_line
from assistant.record.note import Note
from assistant.record.observation import observation_line
from assistant.record.operation import operation_line
from assistant.record.order import order_line
from assistant.record.patient import Sex
from assistant.tasks.record_qa.head import (
    naive,
    told_admission,
    told_age,
    told_discharge,
    told_name,
    told_operation,
    told_sex,
)
from knowledge.text.assertion.engine import read_assertions
from knowledge.text.assertion.status import Assertion
from knowledge.text.document import Document
from knowledge.text.lexicon import Match
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

MEANT = frozenset({TermKind.SYMPTOM, TermKind.SIGN, TermKind.DISEASE, TermKind.PROCEDURE})
"""What is asserted or denied."""


@dataclass(frozen=True, slots=True)
class Meant:
    """A term at its place with what is meant of it."""

    match: Match
    said: Assertion


class NoteReading:
    """One note, each reading made when it is first asked for."""

    def __init__(self, note: Note, admitted: date | None) -> None:
        self.note = note
        self.text = note.text
        self._admitted = admitted

    @property
    def day(self) -> date | None:
        """The day on which it was written."""
        at = naive(self.note.written_at)
        return at.date() if at else None

    @property
    def name(self) -> str:
        """What answers call it: title and day."""
        title = self.note.title or "文书"
        day = self.day
        return f"{title}（{day.month}月{day.day}日）" if day else title

    @cached_property
    def document(self) -> Document:
        """The text, cut."""
        return Document(self.text)

    @cached_property
    def terms(self) -> list[Match]:
        """All terms that it names."""
        return find_terms(self.text)

    @cached_property
    def segments(self) -> list[Segment]:
        """Its sentences, each with the time it speaks of."""
        return segment_note(self.note, self._admitted)

    @cached_property
    def measured(self) -> list[Measured]:
        """Its quantities, each with what it is of."""
        return measured(self.text)

    def meant(self, extra: Iterable[Match] = ()) -> list[Meant]:
        """The findings and procedures with their assertion; ``extra`` terms go first."""
        chosen = sorted(extra, key=lambda m: m.start)
        for match in self.terms:
            if match.kind in MEANT and not any(
                match.start < one.end and one.start < match.end for one in chosen
            ):
                chosen.append(match)
        chosen.sort(key=lambda m: m.start)
        kept: list[Match] = []
        for match in chosen:
            if not kept or match.start >= kept[-1].end:
                kept.append(match)
        said = read_assertions(self.document, kept)
        return [Meant(match, one) for match, one in zip(kept, said, strict=True)]

    def segment(self, at: int) -> Segment | None:
        """The sentence that holds the offset ``at``."""
        return next((s for s in self.segments if s.start <= at < s.end), None)

    def scope(self, at: int) -> Scope:
        """The time that a place speaks of."""
        found = self.segment(at)
        return found.scope if found else Scope.STAY

    def span(self, start: int, end: int) -> TextSpan:
        """The evidence that a place is."""
        return TextSpan(note_id=self.note.id, start=start, end=end, quote=self.text[start:end])

    def sentence(self, at: int) -> TextSpan:
        """The sentence that holds ``at``, as evidence."""
        found = self.segment(at)
        if found is None:
            return self.span(at, min(len(self.text), at + 40))
        end = found.end
        return self.span(found.start, end)

    def so_far(self, segment: Segment) -> str:
        """A sentence with what stands before it up to a full stop: what an examination showed goes
        on behind a semicolon."""
        start = max(self.text.rfind(mark, 0, segment.start) for mark in "。\n") + 1
        return self.text[start : segment.end]

    def section(self, name: str) -> TextSpan | None:
        """The body of the headed part with this name."""
        for heading in self.document.sections:
            if heading.name == name or heading.meaning == name:
                start, end = heading.body, heading.end
                while start < end and self.text[start] in " \n\r：:":
                    start += 1
                while end > start and self.text[end - 1] in " \n\r":
                    end -= 1
                if end > start:
                    return self.span(start, end)
        return None


class RecordReading:
    """The whole encounter.

    What its head does not say (when it began, age, sex, when the operation was) is read from its
    notes.
    """

    def __init__(self, encounter: Encounter) -> None:
        self.encounter = encounter = encounter.titled()
        self.admitted = naive(encounter.admitted_at) or told_admission(encounter.notes)
        self.left = naive(encounter.discharged_at) or told_discharge(encounter.notes)
        day = self.admitted.date() if self.admitted else None
        written = sorted(
            (n for n in encounter.notes if n.text.strip()),
            key=lambda n: (n.written_at is None, str(naive(n.written_at) or "")),
        )
        self.notes = [NoteReading(note, day) for note in written]
        self._lines = {
            "diagnoses": [diagnosis_line(d) for d in encounter.diagnoses],
            "operations": [operation_line(o) for o in encounter.operations],
            "observations": [observation_line(o) for o in encounter.observations],
            "medications": [medication_line(m) for m in encounter.medications],
            "orders": [order_line(o) for o in encounter.orders],
        }

    def row(self, table: str, line: int) -> TextSpan:
        """The line of a structured table as evidence."""
        lines = self._lines[table]
        start = sum(len(one) + 1 for one in lines[:line])
        end = start + len(lines[line])
        return TextSpan(note_id=RESERVED + table, start=start, end=end, quote=lines[line])

    @cached_property
    def operated(self) -> datetime | None:
        """When the first operation of the stay was: its row, its note, or a note that tells it."""
        rows = [naive(o.at) for o in self.encounter.operations if o.at]
        return rows[0] if rows else told_operation(self.notes)

    @cached_property
    def name(self) -> str:
        """The patient's name."""
        return self.encounter.patient.name or told_name(self.encounter.notes)

    @cached_property
    def sex(self) -> Sex | None:
        """The patient's sex."""
        return self.encounter.patient.sex or told_sex(self.encounter.notes)

    @property
    def last_day(self) -> date | None:
        """The last day that the record knows of: what 昨天 and 今天 count from."""
        days = [d for d in (self.left, *(naive(n.note.written_at) for n in self.notes)) if d]
        days += [at for o in self.encounter.observations if (at := naive(o.at))]
        return max(days).date() if days else None

    @cached_property
    def age(self) -> float | None:
        """Age in years at the admission."""
        when = self.admitted or naive(self.notes[0].note.written_at if self.notes else None)
        patient = self.encounter.patient
        known = patient.age_at(when.date()) if when else patient.age_years
        return told_age(self.encounter.notes) if known is None else known

    def of_kind(self, *kinds: str) -> Sequence[NoteReading]:
        """The notes of these kinds, in their order."""
        return [one for one in self.notes if one.note.kind in kinds]
