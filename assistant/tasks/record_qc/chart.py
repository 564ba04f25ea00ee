"""An encounter read once for all checks: its notes with entities, values, sections and times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from assistant.grounding.measured import Measured
from assistant.grounding.measuring import measured
from assistant.grounding.segments import Scope, Segment, segment_note
from assistant.grounding.source import clause_ranges
from assistant.grounding.stance import clause_stances
from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.record.note import Note
from assistant.store.person_names import find_names
from assistant.tasks.structuring.entity import Entity, StructuredNote
from assistant.tasks.structuring.note import NoteText
from assistant.tasks.structuring.pipeline import Structurer
from knowledge.clinical.reading import clinical_reader
from knowledge.ranking.demographics import Sex
from knowledge.text.finding import Experiencer, Finding, Polarity
from knowledge.text.times import Anchors, Time, times

HISTORY = frozenset(
    {
        "既往史",
        "既往",
        "过去史",
        "个人史",
        "婚育史",
        "月经史",
        "家族史",
        "过敏史",
        "手术史",
        "外伤史",
        "输血史",
    }
)
ROUND = re.compile(r"主治|主任|上级医师")
"""Who makes a round that counts."""


@dataclass(frozen=True, slots=True)
class Clause:
    """What stands between two commas of a note, and how it is meant."""

    start: int
    end: int
    text: str
    stances: frozenset[str]
    scope: Scope
    section: str


class Page:
    """One note, each reading made when it is first asked for."""

    def __init__(self, note: Note, admitted: date | None, structurer: Structurer) -> None:
        self.note = note
        self.text = note.text
        self._admitted = admitted
        self._structurer = structurer
        self._findings: dict[tuple[float | None, Sex | None], list[Finding]] = {}

    @property
    def kind(self) -> str:
        """The kind of the note."""
        return self.note.kind

    @property
    def day(self) -> date | None:
        """The day on which it was written."""
        return self.note.written_at.date() if self.note.written_at else None

    @cached_property
    def name(self) -> str:
        """What messages call it."""
        title = self.note.title or "文书"
        return f"{title}（{self.day.month}月{self.day.day}日）" if self.day else title

    @cached_property
    def structured(self) -> StructuredNote:
        """Its entities, relations and sections."""
        note = self.note
        return self._structurer.structure(
            NoteText(note.id, note.text, note.title, note.written_at, self._admitted)
        )

    @property
    def entities(self) -> list[Entity]:
        """What it names."""
        return self.structured.entities

    @cached_property
    def measured(self) -> list[Measured]:
        """Its quantities, each with what it is of."""
        return measured(self.text)

    @cached_property
    def segments(self) -> list[Segment]:
        """Its sentences, each with the time it speaks of."""
        return segment_note(self.note, self._admitted)

    @cached_property
    def clauses(self) -> list[Clause]:
        """Its clauses."""
        found = []
        for segment in self.segments:
            ranges = clause_ranges(segment.text)
            for (a, b), meant in zip(ranges, clause_stances(segment.text, ranges), strict=True):
                found.append(
                    Clause(
                        segment.start + a,
                        segment.start + b,
                        segment.text[a:b],
                        meant,
                        segment.scope,
                        segment.section,
                    )
                )
        return found

    @cached_property
    def times(self) -> list[Time]:
        """The times that it names."""
        return times(self.text, Anchors(admission=self._admitted, note=self.day))

    def findings(self, age: float | None, sex: Sex | None) -> list[Finding]:
        """The findings of the curated vocabulary, numbers read for the patient's age and sex."""
        if (age, sex) not in self._findings:
            found = clinical_reader().read(self.text, self.note.id, age_years=age, sex=sex)
            self._findings[age, sex] = found
        return self._findings[age, sex]

    @cached_property
    def names(self) -> set[str]:
        """The names of persons."""
        return find_names(self.text)

    def clause_at(self, at: int) -> Clause | None:
        """The clause that holds the offset ``at``."""
        return next((c for c in self.clauses if c.start <= at < c.end), None)

    def sentence(self, at: int) -> tuple[int, int]:
        """The sentence that holds the offset ``at``."""
        found = [s for s in self.segments if s.start <= at < s.end]
        return (found[0].start, found[0].end) if found else (at, min(at + 40, len(self.text)))

    def section(self, *names: str) -> list[tuple[int, int]]:
        """The places of the sections with these names."""
        return [(s.start, s.end) for s in self.structured.sections if s.name in names]

    def section_at(self, at: int) -> str:
        """The heading that ``at`` stands under."""
        return next((s.name for s in self.structured.sections if s.start <= at < s.end), "")

    def span(self, start: int, end: int) -> TextSpan:
        """The evidence that a place is."""
        return TextSpan(note_id=self.note.id, start=start, end=end, quote=self.text[start:end])

    def of(self, entity: Entity) -> TextSpan:
        """The evidence that an entity is."""
        return self.span(entity.start, entity.end)

    def find(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Where a pattern stands."""
        return pattern.finditer(self.text)


class PageCache:
    """Notes that were read before, for many encounters that share them."""

    def __init__(self) -> None:
        self._pages: dict[tuple[str, date | None], Page] = {}

    def page(self, note: Note, admitted: date | None, structurer: Structurer) -> Page:
        """The note, read."""
        key = note.model_dump_json(), admitted
        if key not in self._pages:
            self._pages[key] = Page(note, admitted, structurer)
        return self._pages[key]


class Chart:
    """An encounter and all that was read of it."""

    def __init__(
        self, encounter: Encounter, structurer: Structurer, cache: PageCache | None = None
    ) -> None:
        self.encounter = encounter = encounter.titled()
        admitted = encounter.admitted_at
        self.admitted = admitted.replace(tzinfo=None) if admitted else None
        left = encounter.discharged_at
        self.left = left.replace(tzinfo=None) if left else None
        day = self.admitted.date() if self.admitted else None
        written = sorted(
            (n for n in encounter.notes if n.text.strip()),
            key=lambda n: (n.written_at is None, str(n.written_at or "")),
        )
        read = cache.page if cache is not None else Page
        self.pages = [read(note, day, structurer) for note in written]
        self.tables = {note.id: note for note in encounter.structured_notes()}
        self._structurer = structurer

    def of_kind(self, *kinds: str) -> list[Page]:
        """The notes of these kinds, in their order."""
        return [page for page in self.pages if page.kind in kinds]

    @cached_property
    def text(self) -> str:
        """All notes, for what must stand anywhere."""
        return "\n".join(page.text for page in self.pages)

    @cached_property
    def age(self) -> float | None:
        """The age in years at the admission."""
        when = self.admitted or next((p.note.written_at for p in self.pages if p.day), None)
        patient = self.encounter.patient
        return patient.age_at(when.date()) if when else patient.age_years

    @cached_property
    def is_operated(self) -> bool:
        """Whether there was an operation."""
        return bool(self.encounter.operations) or bool(self.of_kind("operation"))

    @cached_property
    def hours(self) -> float | None:
        """How long the stay was, in hours."""
        if self.admitted is None or self.left is None:
            return None
        return (self.left - self.admitted) / timedelta(hours=1)

    def row(self, table: str, line: int) -> list[TextSpan]:
        """The line of a structured table as evidence."""
        note = self.tables.get(f"table:{table}")
        if note is None:
            return []
        lines = note.text.split("\n")
        if line >= len(lines):
            return []
        start = sum(len(one) + 1 for one in lines[:line])
        end = start + len(lines[line])
        return [TextSpan(note_id=note.id, start=start, end=end, quote=lines[line])]

    def entities(self, *types: str) -> Iterator[tuple[Page, Entity]]:
        """The entities of these types in all notes."""
        for page in self.pages:
            for entity in page.entities:
                if not types or entity.type.value in types:
                    yield page, entity

    def says(self, pattern: re.Pattern[str], *, after: datetime | None = None) -> bool:
        """Whether a note (written at or after a moment) has words that no clause of it denies."""
        for page in self.pages:
            written = page.note.written_at
            if after and written and written.replace(tzinfo=None) < after:
                continue
            for hit in page.find(pattern):
                if not page_denies(page, hit.start(), hit.end()):
                    return True
        return False


def page_denies(page: Page, start: int, end: int) -> bool:
    """Whether what stands at a place is denied, or somebody else's."""
    for entity in page.entities:
        if entity.start < end and start < entity.end:
            if entity.polarity is Polarity.ABSENT and not entity.reassuring:
                return True
            if entity.subject is not Experiencer.PATIENT:
                return True
    clause = page.clause_at(start)
    return clause is not None and "family" in clause.stances


def same_day(one: date | None, two: date | None, days: int = 0) -> bool:
    """Whether two days are at most ``days`` apart."""
    return one is not None and two is not None and abs((one - two).days) <= days


def first(spans: Sequence[TextSpan], count: int = 3) -> list[TextSpan]:
    """The first few places, each once."""
    return list(dict.fromkeys(spans))[:count]
