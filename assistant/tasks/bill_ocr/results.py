"""Everything that a patient's confirmed laboratory sheets say: observations, courses, and a note.

Nothing of it is kept a second time: it is made from the bills as they stand now, so a correction
changes it, and it goes with the patient's bills.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from assistant.record.evidence import PageBox
from assistant.record.note import Note
from assistant.record.observation import Observation, observation_line
from assistant.store import Context
from assistant.store.bills import Bills, Wanted
from assistant.store.models.bill import BillRow
from assistant.tasks.bill_ocr.document import DocumentKind
from assistant.tasks.bill_ocr.filing import kept
from assistant.tasks.bill_ocr.observing import ObservedResult, name_key, observed
from assistant.tasks.bill_ocr.values import decimal_of

NOTE = "laboratory-sheets"
_PAGE = 100
_ENOUGH = 2


class Line(BaseModel):
    """``[start, end)`` of the note's text says what stands in the box."""

    start: int
    end: int
    observation_id: str
    evidence: PageBox | None = None


class Point(BaseModel):
    """One value of a course."""

    observation_id: str
    at: datetime
    value: str
    flag: str | None = None
    evidence: PageBox | None = None


class Trend(BaseModel):
    """A test that was made at several times, oldest first, in one unit.

    ``change`` compares the last two: up, down or same; "" where one is no number.
    """

    name: str
    unit: str = ""
    loinc: str = ""
    points: list[Point]
    change: str = ""


class PatientResults(BaseModel):
    """``observations`` are as an encounter takes them; ``note`` is a text for any other task, whose
    lines lead to their boxes by ``lines``."""

    observations: list[Observation] = Field(default_factory=list)
    results: list[ObservedResult] = Field(default_factory=list)
    trends: list[Trend] = Field(default_factory=list)
    note: Note | None = None
    lines: list[Line] = Field(default_factory=list)


def patient_results(bills: Bills, context: Context) -> PatientResults:
    """The results of the patient of ``context``, oldest first; sheets nobody has accepted are left
    out, and what two photos of one sheet say counts once."""
    results = sorted(without_repeats(_results(bills, context)), key=when)
    note, lines = note_of(results)
    return PatientResults(
        observations=[one.observation for one in results],
        results=results,
        trends=list(_trends(results)),
        note=note,
        lines=lines,
    )


def _results(bills: Bills, context: Context) -> Iterator[ObservedResult]:
    for row in accepted_sheets(bills, context):
        content = kept(row.content)
        yield from observed(content.document, row.id, content.attachments)


def accepted_sheets(bills: Bills, context: Context) -> Iterator[BillRow]:
    """The laboratory sheets of the patient of ``context`` that somebody has accepted."""
    wanted = Wanted(kind=DocumentKind.LABORATORY_SHEET.value, accepted=True)
    before: str | None = None
    while rows := bills.search(context, wanted, before=before, limit=_PAGE):
        yield from rows
        before = rows[-1].id


def without_repeats(results: Iterable[ObservedResult]) -> list[ObservedResult]:
    """Each result once, however many photos of a sheet there are."""
    found: dict[tuple[object, ...], ObservedResult] = {}
    for one in results:
        seen = one.observation
        key = (name_key(seen.name), seen.value, seen.unit, seen.at, one.specimen)
        # Without a time nothing says that two equal values are one.
        found.setdefault(key if seen.at is not None else (*key, seen.id), one)
    return list(found.values())


def when(one: ObservedResult) -> tuple[bool, str]:
    """What results are sorted by: undated ones first, then the oldest."""
    at = one.observation.at
    return at is not None, "" if at is None else at.replace(tzinfo=None).isoformat()


def _trends(results: Sequence[ObservedResult]) -> Iterator[Trend]:
    groups: dict[tuple[str, str, str], list[ObservedResult]] = {}
    for one in results:
        if one.observation.at is not None:
            test = one.loinc or name_key(one.observation.name)
            key = (test, name_key(one.observation.unit), one.specimen)
            groups.setdefault(key, []).append(one)
    for group in groups.values():
        if len(group) >= _ENOUGH:
            last = group[-1].observation
            yield Trend(
                name=last.name,
                unit=last.unit,
                loinc=group[-1].loinc,
                points=[point for one in group if (point := _point(one)) is not None],
                change=_change(*(decimal_of(one.observation.value) for one in group[-2:])),
            )


def _point(one: ObservedResult) -> Point | None:
    seen = one.observation
    if seen.at is None:
        return None
    return Point(
        observation_id=seen.id, at=seen.at, value=seen.value, flag=seen.flag, evidence=one.evidence
    )


def _change(before: Decimal | None, now: Decimal | None) -> str:
    if before is None or now is None:
        return ""
    return "up" if now > before else "down" if now < before else "same"


def note_of(results: Sequence[ObservedResult]) -> tuple[Note | None, list[Line]]:
    """(the results as a note, its lines with their boxes); None where there are no results."""
    if not results:
        return None, []
    lines: list[Line] = []
    text = ""
    for one in results:
        said = observation_line(one.observation)
        start = len(text)
        text += said + "\n"
        lines.append(
            Line(
                start=start,
                end=start + len(said),
                observation_id=one.observation.id,
                evidence=one.evidence,
            )
        )
    return Note(id=NOTE, title="化验单（已确认）", text=text), lines
