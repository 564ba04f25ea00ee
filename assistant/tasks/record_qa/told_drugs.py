"""Courses of drugs as the notes tell them, for a stay that has no rows of medication.

Each sentence of the stay that gives, changes or stops a drug is an event of its day; the events of
one drug make its courses.  What is only planned, refused or of the time before begins none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

from assistant.grounding.drug_course import with_course
from assistant.grounding.segments import Scope, Segment
from assistant.grounding.source import clause_ranges
from assistant.grounding.stance import NOT_THERE, clause_stances
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.days import days_in
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from knowledge.text.drugs import DrugMention, DrugNames
from knowledge.text.number import read_number
from knowledge.text.regimen import Regimen
from knowledge.text.regimens import regimens
from knowledge.text.term_table import shipped_test

Kind = Literal["given", "named", "before", "stopped", "home"]
_OPENING = ("admission", "first_progress")
_TREATED = frozenset({"诊疗计划", "治疗计划", "诊疗经过", "治疗经过", "处理"})
_HOME_PARTS = frozenset({"出院带药", "出院医嘱"})
_HOME = re.compile(r"带药|出院后|院外|(?:出院|嘱)[^。；]{0,16}(?:服|用|口服|带)|门诊继续")
_NOT_GIVEN = re.compile(r"过敏|敏感|耐药|皮试|浓度|避免|暂缓|暂不|禁|慎用|不宜|中毒")
_GIVEN = re.compile(r"予|给|用|服|注|滴|泵|吸入|加|起|静|口|抗|治疗|联合|输|换|改|续|雾化|首剂")
_BRACKETS = re.compile(r"[（(][^（）()]*[）)]")
_BEGUN = re.compile(r"^(?:入院后|急诊|现|立即)?(?:予以?|给予|处理|治疗)")
_STOP_BEFORE = re.compile(r"停用?[、和及]?$")
_STOP_BEHIND = re.compile(r"(?:已|均|遂)?停(?:[用药服])?(?=[（(，,。；;、]|$)")
_SINCE = re.compile(r"已[^，。；\d]{0,3}(\d{1,3})\s*(h|小时|天|日)")
_PREVENTS = re.compile(r"预防|防治")
_LED = re.compile(r"^(?:联合|恢复|继续|改|予)(?=..)")
_SOLVENT = re.compile(r"(?:\d+%)?(?:葡萄糖|氯化钠|生理盐水|糖盐水|注射用水|灭菌)")
_NTH_DAY = re.compile(r"第([\d一二三四五六七八九十]{1,2})[天日]")
_WHOLE = re.compile(r"(?:用药?|满|共|×|疗程)\s*([\d一二三四五六七八九十]{1,2})\s*(?:天|日|d)(?!后)")


@dataclass(frozen=True, slots=True)
class Said:
    """What one sentence says of one drug on its day."""

    name: str
    day: date | None
    kind: Kind
    place: TextSpan
    dose: str = ""
    route: str = ""
    frequency: str = ""
    since: int | None = None
    days: int | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One course: from when until when, in which way, with the sentences that say so."""

    name: str
    dose: str
    route: str
    frequency: str
    start: date | None
    stop: date | None
    days: int | None
    home: bool
    places: tuple[TextSpan, ...]


def told_courses(
    reading: RecordReading, names: DrugNames, drug_of: Callable[[str], str]
) -> list[Told]:
    """The courses that the notes tell, drug by drug (``drug_of`` its name) in their order."""
    events: dict[str, list[Said]] = {}
    for note in reading.notes:
        for said in _of_note(note, reading, names):
            events.setdefault(drug_of(said.name), []).append(said)
    return [course for said in events.values() for course in _chained(said)]


def _chained(said: Sequence[Said]) -> Iterator[Told]:
    """The events of one drug as courses: another dose begins another."""
    now: Told | None = None
    for one in said:
        if one.kind == "home":
            yield _begun(one)
        elif one.kind == "stopped":
            start = now or replace(_begun(one), start=None)
            places = tuple(dict.fromkeys((*start.places, one.place)))
            days = one.days or start.days
            yield replace(start, stop=one.day, days=days, places=places)
            now = None
        elif now is None:
            now = _begun(one) if one.kind in ("given", "before") else None
        elif one.dose and now.dose and (one.dose, one.frequency or now.frequency) != (
            now.dose, now.frequency or one.frequency,
        ):  # fmt: skip
            yield replace(now, stop=one.day)
            now = replace(_begun(one), route=one.route or now.route)
        else:
            now = replace(
                now,
                dose=now.dose or one.dose,
                route=now.route or one.route,
                frequency=now.frequency or one.frequency,
                days=now.days or one.days,
                places=(*now.places, one.place) if one.dose and not now.dose else now.places,
            )
    if now is not None:
        yield now


def _begun(one: Said) -> Told:
    start = one.day
    if start is not None and one.since is not None:
        start -= timedelta(days=one.since - 1)
    if one.kind == "home":
        start = None
    elif one.kind == "before":
        start = start - timedelta(days=one.days) if start and one.days else None
    return Told(
        one.name, one.dose, one.route, one.frequency, start, one.until, one.days,
        one.kind == "home", (one.place,),
    )  # fmt: skip


def _of_note(note: NoteReading, reading: RecordReading, names: DrugNames) -> Iterator[Said]:
    for segment in note.segments:
        of_stay = segment.scope is Scope.STAY or segment.section in _TREATED
        if segment.scope is Scope.PRIOR:
            continue
        if note.note.kind == "first_progress" and not segment.section:
            # 予头孢曲松2g qd: a first note without headings says what is begun.
            of_stay = _BEGUN.search(segment.text) is not None
        elif note.note.kind in _OPENING:
            of_stay = segment.section in _TREATED
        if not of_stay:
            continue
        found = names.find(segment.text)
        if found:
            yield from _of_segment(note, segment, found, reading)


def _of_segment(
    note: NoteReading, segment: Segment, found: Sequence[DrugMention], reading: RecordReading
) -> Iterator[Said]:
    text = segment.text
    ranges = clause_ranges(text)
    meant = clause_stances(text, ranges)
    admitted = reading.admitted.date() if reading.admitted else None
    for one in with_course(text, regimens(text, found)):
        at = next((n for n, (a, b) in enumerate(ranges) if a <= one.drug.start < b), 0)
        clause = text[slice(*ranges[at])] if ranges else text
        name = _LED.sub("", one.drug.name)
        # 克林霉素0.6g（青霉素过敏）: what is in brackets is the ground.
        if (
            _NOT_GIVEN.search(_BRACKETS.sub("", clause))
            or shipped_test(name)
            or _SOLVENT.match(name)
        ):
            continue
        lead = text[: one.drug.start]
        home = segment.section in _HOME_PARTS or _HOME.search(text[: one.end]) is not None
        stances = (meant[at] if meant else frozenset()) - ({"planned"} if home else set())
        if one.is_said and _PREVENTS.search(text[: one.end + _NEAR]):
            # 头孢曲松2g qd预防感染 is given; what it is to prevent is only thought of.
            stances -= {"thought"}
        if stances & NOT_THERE or (one.planned and not home):
            continue
        kind = _kind(one, text, home)
        if kind == "stopped":
            lead = text[: one.end]
        named = days_in(lead, note.day, admitted)
        behind = days_in(text[one.drug.end :], note.day, admitted)
        own = text[one.drug.end : one.end + _NEAR]
        begun = next((d.day for d in behind if own[d.end : d.end + 1] == "起"), None)
        lasted = _STOPPED_FOR.search(own) if kind == "stopped" else _SINCE.search(own)
        day = begun or _ago(note.day, lasted) or (named[-1].day if named else note.day)
        yield Said(
            name=name,
            day=day,
            kind=kind,
            place=note.span(segment.start, segment.end),
            dose=_written(text, one),
            route=text[one.route.start : one.route.end] if one.route else "",
            frequency=text[one.frequency.start : one.frequency.end] if one.frequency else "",
            since=_count(_NTH_DAY, text[one.drug.end : one.drug.end + 24]),
            until=next((d.day for d in behind if own[d.start - 1 : d.start] in ("至", "到")), None),
            days=_count(_WHOLE, text[_own_start(one) : one.end + 8]),
        )


_NEAR = 12
_STOPPED_FOR = re.compile(r"停[用药服]?\s*(?:满|约|已)?\s*(\d{1,3})\s*(h|小时|天|日)(?!后)")


def _ago(day: date | None, since: re.Match[str] | None) -> date | None:
    """The day on which something was stopped that has been stopped for so long: 停用48h."""
    if day is None or since is None:
        return None
    length = int(since[1]) / (24 if since[2] in ("h", "小时") else 1)
    return day - timedelta(days=round(length))


def _kind(one: Regimen, text: str, home: bool) -> Kind:
    behind = _STOP_BEHIND.match(text, one.drug.end) or _STOP_BEHIND.match(text, one.end)
    if one.stopped or one.replaced or behind or _STOP_BEFORE.search(text[: one.drug.start]):
        return "stopped"
    if home:
        return "home"
    if not one.current and one.phase != "loading":
        # 由80mg减至40mg: the former was given until now.
        return "before"
    around = text[max(0, one.start - 12) : one.end + 6]
    return "given" if one.is_said or _GIVEN.search(around) else "named"


def _written(text: str, one: Regimen) -> str:
    """The dose as it is written, each of a day's where they differ."""
    parts = [q for q in (one.dose, one.rate, *(q for _, q in one.schedule)) if q is not None]
    if not parts:
        return ""
    own = [q for q in parts if q.start >= one.drug.start] or parts
    return text[min(q.start for q in own) : max(q.tail or q.end for q in own)]


def _own_start(one: Regimen) -> int:
    """Where what is said of this way of giving begins, not of the one before it."""
    return one.dose.start if one.dose and one.order else one.drug.end


def _count(pattern: re.Pattern[str], text: str) -> int | None:
    hit = pattern.search(text)
    found = read_number(hit[1], 0) if hit else None
    return int(found.value) if found is not None else None
