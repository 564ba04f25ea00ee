"""A structured note as rows of the index."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assistant.record_index.amounts import amount
from assistant.record_index.markers import Marker, markers
from assistant.record_index.standing import standing_of
from assistant.record_index.vocabulary import name_of, statuses
from assistant.tasks.structuring.entity import Entity, StructuredNote
from assistant.tasks.structuring.span import EntityType
from knowledge.text.folding import fold

_CODE_MARK = "#"
_LONGEST = 200
_NEAR = 3
_RATE = "eGFR"
_SPECIMEN = re.compile(r"(?:尿液?|粪便?|痰|脑脊液|胸水|腹水)\Z")
_MEASURED = "pccpn"


@dataclass(frozen=True, slots=True)
class Fact:
    """A name that a note says something of; ``concept`` is what the name stands for, or ""."""

    name: str
    concept: str
    type: str
    standing: str
    on_date: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Result:
    """What a name came to; see `assistant.store.record_rows.RecordResultRow`."""

    name: str
    concept: str
    standing: str
    on_date: str
    start: int
    end: int
    number: float | None
    dimensions: str
    comparator: str
    outcome: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Entries:
    """What the index keeps of a note beside its text."""

    facts: list[Fact]
    results: list[Result]


def code_name(code: str) -> str:
    """How a standard code stands among the names."""
    return f"{_CODE_MARK}{code.lower()}"


def entries_of(note: StructuredNote, text: str) -> Entries:
    """The facts and results of a note."""
    day = note.written_at.date().isoformat() if note.written_at else ""
    facts: list[Fact] = []
    results: list[Result] = []
    for entity in note.entities:
        on_date = _day(entity, day)
        for name, concept in _names(entity, text):
            standing = standing_of(entity)
            facts.append(
                Fact(name, concept, entity.type, standing, on_date, entity.start, entity.end)
            )
            if result := _result(entity, name, concept, standing, on_date):
                results.append(result)
    results += [_of_marker(marker, day) for marker in markers(text)]
    return Entries(facts, results)


def _day(entity: Entity, written: str) -> str:
    own = entity.time.value if entity.time else ""
    return own if own[:1].isdecimal() else written


def _names(entity: Entity, text: str) -> Iterator[tuple[str, str]]:
    """Each name once, with its concept: the words, what the base calls it, terms and codes."""
    specimen = _SPECIMEN.search(text, max(0, entity.start - _NEAR), entity.start)
    if entity.type is EntityType.TEST and specimen:
        # 尿肌酐 is measured in another fluid: it is no 肌酐.
        yield name_of(f"{specimen[0]}{entity.text}")[:_LONGEST], ""
        return
    if entity.text.startswith(_RATE):
        yield name_of(entity.text)[:_LONGEST], ""
        return
    concept = name_of(entity.concept)
    names = [name_of(entity.text), concept, *(name_of(code.name) for code in entity.codes)]
    names += [code_name(code.code) for code in entity.codes if code.code]
    for name in dict.fromkeys(name[:_LONGEST] for name in names if name):
        yield name, concept if name != concept and not name.startswith(_CODE_MARK) else ""


def _result(entity: Entity, name: str, concept: str, standing: str, on_date: str) -> Result | None:
    if entity.value is None and entity.flag is None:
        return None
    value, unit = entity.value or "", entity.unit or ""
    measured = amount(value, unit)
    return Result(
        name,
        concept,
        standing,
        on_date,
        entity.start,
        entity.end,
        measured.number if measured else None,
        measured.dimensions if measured else "",
        entity.comparator,
        entity.flag or _outcome(value),
        value,
        unit,
    )


def _outcome(value: str) -> str:
    status = statuses().get(fold(value))
    return status.means[0] if status and status.kind == "outcome" else ""


def _of_marker(marker: Marker, day: str) -> Result:
    outcome = "positive" if marker.positive else "negative"
    where = (marker.start, marker.end)
    name = name_of(marker.name)
    return Result(name, "", _MEASURED, day, *where, None, "", "", outcome, marker.value, "")
