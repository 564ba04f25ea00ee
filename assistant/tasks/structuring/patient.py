"""One patient over many notes: a timeline, a problem list, medication and series of results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from assistant.draft import DISCLAIMER_ZH
from assistant.tasks.structuring.calendar_date import in_year
from assistant.tasks.structuring.entity import Coding, Entity, Flag, StructuredNote, names_allergen
from assistant.tasks.structuring.export import quantity
from assistant.tasks.structuring.span import EntityType
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.quantity import Comparator

Status = Literal["active", "past", "uncertain", "denied"]
_PROBLEMS = frozenset({EntityType.DISEASE})
_EVENTS = frozenset(
    {
        EntityType.DISEASE,
        EntityType.PROCEDURE,
        EntityType.IMAGING,
        EntityType.SYMPTOM,
        EntityType.SIGN,
    }
)


class Place(BaseModel):
    """Where a note says it."""

    note_id: str
    entity: str
    start: int
    end: int
    text: str


class ProblemEntry(BaseModel):
    """A diagnosis with every place that names it.

    ``status`` is what the newest note says that says anything of it; ``conflicting`` when some
    note has it and another denies it.  ``family`` problems are in a list of their own.
    """

    name: str
    codes: list[Coding] = Field(default_factory=list)
    status: Status
    since: str = ""
    conflicting: bool = False
    places: list[Place]


class TimelineEvent(BaseModel):
    """Something that happened or was found; ``date`` is ISO 8601 as exactly as it is known.

    ``dated`` tells whether the note gives the date or the event only has the date of its note.
    """

    certainty: Certainty = Certainty.CERTAIN
    date: str
    dated: bool
    type: EntityType
    text: str
    place: Place


class ResultPoint(BaseModel):
    """One result of a test."""

    date: str
    value: str
    unit: str = ""
    comparator: Comparator = ""
    flag: Flag | None = None
    place: Place


class MedicationEntry(BaseModel):
    """A drug by its generic name, with the last dose that a note gives."""

    name: str
    status: Literal["active", "past", "planned", "not-taken"]
    dose: str = ""
    places: list[Place]


class PatientView(BaseModel):
    """What many notes come to: a draft, like what it is made of."""

    kind: Literal["patient_view"] = "patient_view"
    patient_id: str
    notes: int
    problems: list[ProblemEntry] = Field(default_factory=list)
    family: list[ProblemEntry] = Field(default_factory=list)
    medications: list[MedicationEntry] = Field(default_factory=list)
    allergies: list[Place] = Field(default_factory=list)
    timeline: list[TimelineEvent] = Field(default_factory=list)
    results: dict[str, list[ResultPoint]] = Field(default_factory=dict)
    disclaimer: str = DISCLAIMER_ZH


Mentioned = tuple[StructuredNote, Entity]


def patient_view(patient_id: str, notes: Sequence[StructuredNote]) -> PatientView:
    """The view over ``notes``, which may come in any order; those without a time come first."""
    ordered = sorted(notes, key=lambda note: (note.written_at is not None, _time(note.written_at)))
    mentions = [
        (note, entity)
        for note in ordered
        for entity in note.entities
        if not (_is_said(entity) and names_allergen(entity, note.entities))
    ]
    own = [m for m in mentions if m[1].subject is Experiencer.PATIENT]
    others = [m for m in mentions if m[1].subject is not Experiencer.PATIENT]
    return PatientView(
        patient_id=patient_id,
        notes=len(ordered),
        problems=list(_problems(own)),
        family=list(_problems(others)),
        medications=list(_medications(own)),
        allergies=[place(note, e) for note, e in own if e.allergen and _is_said(e)],
        timeline=sorted(_events(own), key=lambda event: (not event.date, event.date)),
        results=_results(own),
    )


def place(note: StructuredNote, entity: Entity) -> Place:
    """Where ``note`` names ``entity``."""
    return Place(
        note_id=note.note_id,
        entity=entity.id,
        start=entity.start,
        end=entity.end,
        text=entity.text,
    )


def date_of(note: StructuredNote, entity: Entity) -> tuple[str, bool]:
    """(ISO date, whether the note itself gives it); "" when neither text nor note has one.

    Words that are a date of no calendar (2月30日) are none, and not the day of the note either.
    """
    written = note.written_at.date() if note.written_at else None
    time = entity.time
    if time is not None and time.kind in ("date", "relative"):
        value = in_year(time.value, written) if written else ""
        value = value or ("" if time.value.startswith("--") else time.value)
        if value or time.kind == "date":
            return value, bool(value)
    return (written.isoformat() if written else ""), False


def _time(moment: datetime | None) -> str:
    return moment.replace(tzinfo=None).isoformat() if moment else ""


def _is_said(entity: Entity) -> bool:
    return (
        entity.polarity is Polarity.PRESENT and entity.temporality is not Temporality.HYPOTHETICAL
    )


def _grouped(mentions: Iterable[Mentioned]) -> Iterator[tuple[str, list[Mentioned]]]:
    """Mentions of one thing together, by standard term, else by concept, else as written."""
    groups: dict[str, list[Mentioned]] = defaultdict(list)
    for note, entity in mentions:
        code = entity.codes[0].name if len(entity.codes) == 1 else ""
        groups[code or entity.concept or entity.text].append((note, entity))
    yield from groups.items()


def _problems(mentions: Sequence[Mentioned]) -> Iterator[ProblemEntry]:
    diagnoses = [
        (note, e)
        for note, e in mentions
        if e.type in _PROBLEMS
        and not (e.allergen and _is_said(e))
        and e.temporality is not Temporality.HYPOTHETICAL
    ]
    for name, group in _grouped(diagnoses):
        newest = group[-1][0]
        said = [entity for note, entity in group if note is newest]
        statuses = [_status(entity) for entity in said]
        every = {entity.polarity for _, entity in group}
        yield ProblemEntry(
            name=name,
            codes=group[-1][1].codes,
            status=next(s for s in ("active", "past", "uncertain", "denied") if s in statuses),
            since=next((t for n, e in group if (t := _since(n, e))), ""),
            conflicting=len(every) > 1,
            places=[place(note, entity) for note, entity in group],
        )


def _since(note: StructuredNote, entity: Entity) -> str:
    if entity.polarity is Polarity.ABSENT:
        return ""
    date, dated = date_of(note, entity)
    if dated:
        return date
    return entity.time.text if entity.time is not None else date


def _status(entity: Entity) -> Status:
    if entity.polarity is Polarity.ABSENT:
        return "denied"
    if entity.certainty is Certainty.UNCERTAIN:
        return "uncertain"
    return "past" if entity.temporality is Temporality.PAST else "active"


def _medications(mentions: Sequence[Mentioned]) -> Iterator[MedicationEntry]:
    drugs = [(n, e) for n, e in mentions if e.type is EntityType.DRUG and not e.allergen]
    for name, group in _grouped(drugs):
        last = group[-1][1]
        dosed = [e for _, e in group if e.value]
        yield MedicationEntry(
            name=name,
            status=(
                "not-taken"
                if last.polarity is Polarity.ABSENT
                else "planned"
                if last.temporality is Temporality.HYPOTHETICAL
                else "past"
                if last.temporality is Temporality.PAST
                else "active"
            ),
            dose=quantity(dosed[-1]) if dosed else "",
            places=[place(note, entity) for note, entity in group],
        )


def _events(mentions: Sequence[Mentioned]) -> Iterator[TimelineEvent]:
    for note, entity in mentions:
        if entity.type in _EVENTS and _is_said(entity):
            date, dated = date_of(note, entity)
            yield TimelineEvent(
                certainty=entity.certainty,
                date=date,
                dated=dated,
                type=entity.type,
                text=entity.text,
                place=place(note, entity),
            )


def _results(mentions: Sequence[Mentioned]) -> dict[str, list[ResultPoint]]:
    series: dict[str, list[ResultPoint]] = defaultdict(list)
    for note, entity in mentions:
        if entity.type is EntityType.TEST and entity.value and _is_said(entity):
            date, _ = date_of(note, entity)
            series[entity.concept or entity.text].append(
                ResultPoint(
                    date=date,
                    value=entity.value,
                    unit=entity.unit or "",
                    comparator=entity.comparator,
                    flag=entity.flag,
                    place=place(note, entity),
                )
            )
    return {name: sorted(points, key=lambda p: p.date) for name, points in series.items()}
