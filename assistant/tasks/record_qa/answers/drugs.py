"""Drugs of the stay: a class, one drug, on a day, at the discharge."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from datetime import date

from assistant.grounding.segments import Scope
from assistant.record.fields import written_day
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import Row
from assistant.tasks.record_qa.drugs import (
    Course,
    DrugClass,
    classes,
    courses,
    days_of,
    drug_of,
    is_class,
    is_drug,
)
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.slots import known_drugs
from knowledge.text.synonyms import TermKind

_COLUMNS = ["药品", "用法", "开始", "停止", "天数", "类别"]


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """The courses that the question names; on a day, those of the day."""
    if asked.period and not asked.period.after and asked.period.at == reading.admitted:
        _before_stay(reading, asked, out)
        return
    own = courses(reading)
    if any(c.told for c in own):
        out.note("没有用药医嘱数据，以下按病程记载整理，请核对原文。")
    if not (asked.drugs or asked.classes):
        _all(reading, asked, own, out)
        return
    for name in asked.classes:
        _one(reading, asked, name, [c for c in own if is_class(c, name)], out)
    for name in asked.drugs:
        _one(reading, asked, name, [c for c in own if is_drug(c, name)], out)


def _before_stay(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What the notes of the admission tell of drugs: those taken before it."""
    for name in (*asked.classes, *asked.drugs):
        one = next((c for c in classes() if c.name == name), None)
        for note in reading.of_kind("admission", "first_progress", "other"):
            for at, drug in _named(note, one):
                before = note.scope(at) in (Scope.PRIOR, Scope.PRESENTING)
                if before and (one is not None or drug == drug_of(name)):
                    out.quote(note, note.sentence(at), asked.period.words if asked.period else "")
    if out.is_empty:
        out.note("病历未记载入院前用过。", "not_recorded")


def discharge(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What the patient takes home."""
    found = [c for c in courses(reading) if c.row.discharge]
    if any(c.told for c in found):
        out.note("没有出院带药数据，以下按病程记载整理，请核对原文。")
    for course in found:
        days = f"，{course.row.days}天" if course.row.days is not None else ""
        out.say(f"{course.row.name}：{course.regimen}{days}", *course.places)
    # No list of names has every drug: what was read from a note stands beside its sentence.
    for note in reading.notes if all(c.told for c in found) else ():
        for segment in note.segments:
            listed = segment.section == "出院带药" and known_drugs().find(segment.text)
            if listed or "带药" in segment.text:
                out.quote(note, note.span(segment.start, segment.end), "出院带药")
    if out.is_empty:
        out.note("病历未记载出院带药。", "not_recorded")
    out.table("出院带药", _COLUMNS, _rows(reading, found))


def _all(reading: RecordReading, asked: Asked, own: Sequence[Course], out: Saying) -> None:
    stay = [c for c in own if not c.row.discharge]
    day = asked.day or reading.last_day
    now = [c for c in stay if day and c.covers(day)]
    if "目前" in asked.text or "现在" in asked.text or asked.day:
        out.note(f"{written_day(day)}在用 {len(now)} 种。")
        shown = now
    else:
        shown = stay
    for course in shown:
        out.say(_told(course), *course.places)
    if not shown:
        out.note("医嘱中没有住院用药。", "not_recorded")
    out.table("住院用药", _COLUMNS, _rows(reading, shown))


def _one(
    reading: RecordReading, asked: Asked, name: str, found: Sequence[Course], out: Saying
) -> None:
    stay = [c for c in found if not c.row.discharge]
    home = [c for c in found if c.row.discharge]
    if asked.day is not None:
        _on(asked.day, name, [*stay, *home], out)
    elif stay:
        groups: dict[str, list[Course]] = {}
        for course in stay:
            groups.setdefault(course.drug, []).append(course)
        for drug, own in groups.items():
            _course(drug, own, out)
    elif not home:
        out.note(f"住院用药中没有找到{name}（按药名和已知别名查找）。", "not_recorded")
    for course in home if asked.day is None else ():
        out.say(f"出院带药：{course.row.name} {course.regimen}", *course.places)
    out.table(f"{name}", _COLUMNS, _rows(reading, [*stay, *home]))
    if re.search(r"多久|多长时间|到(?:哪[天日]|什么时候|几号|何时)|长期", asked.text):
        _advised(reading, name, out)
    _in_notes(reading, name, found, out)


def _on(day: date, name: str, found: Sequence[Course], out: Saying) -> None:
    covering = [c for c in found if c.covers(day)]
    for course in covering:
        kind = "出院带药" if course.row.discharge else "住院医嘱"
        out.say(f"{written_day(day)}：{course.row.name} {course.regimen}（{kind}）", *course.places)
    if not covering:
        out.note(f"{written_day(day)}没有{name}的医嘱。", "not_recorded")


def _course(drug: str, own: Sequence[Course], out: Saying) -> None:
    """One drug: how long, and how the regimen changed."""
    for part in _unbroken(own):
        _span(drug, part, out)
    for before, after in itertools.pairwise(own):
        if before.regimen == after.regimen or not (before.regimen and after.regimen):
            continue
        when = written_day(after.start) or "日期未记载"
        out.say(
            f"{drug}：{when} 由“{before.regimen}”改为“{after.regimen}”",
            *before.places,
            *after.places,
        )
    for course in own:
        days, counted = course.row.days, days_of([course])
        if not course.told and course.row.stop and days and counted and days != counted:
            out.warn(f"{course.row.name} 写明 {days} 天，而起止日期为 {counted} 天，请核对医嘱。")


def _unbroken(own: Sequence[Course]) -> Iterator[Sequence[Course]]:
    """The courses of notes that follow one another; rows are counted together, with their gaps."""
    part: list[Course] = []
    for course in own:
        stop = part[-1].stop if part else None
        gap = stop and course.start and (course.start - stop).days > 1
        if course.told and part and gap:
            yield part
            part = []
        part.append(course)
    yield part


def _span(drug: str, own: Sequence[Course], out: Saying) -> None:
    starts = [c.start for c in own if c.start]
    known = starts and (own[0].start or not own[0].told)
    begin = written_day(min(starts)) if known else "开始日期未记载"
    stops = [c.stop for c in own if c.stop]
    end = written_day(max(stops)) if len(stops) == len(own) else "停止日期未记载"
    name = own[0].row.name if len(own) == 1 else drug
    regimen = f"；{own[0].regimen}" if len(own) == 1 and own[0].regimen else ""
    places = [place for c in own for place in c.places]
    out.say(f"{name}：{begin} 至 {end}{_length(own)}{regimen}", *places)


def _length(own: Sequence[Course]) -> str:
    """How many days: as the notes write them, else from the first to the last."""
    days = days_of(own)
    if written := [str(c.row.days) for c in own if c.told and c.row.days]:
        whole = f"，合计 {sum(map(int, written))} 天" if len(written) > 1 else ""
        return f"，病程写明 {'、'.join(written)} 天{whole}"
    if days is None:
        return ""
    return f"，首尾共 {days} 天" if own[0].told else f"，共 {days} 天"


def _told(course: Course) -> str:
    begin = written_day(course.start) or "开始日期未记载"
    end = written_day(course.stop) or "停止日期未记载"
    return f"{course.row.name}：{course.regimen}（{begin} 至 {end}）"


def _rows(reading: RecordReading, found: Sequence[Course]) -> list[Row]:
    rows = []
    for course in found:
        days = days_of([course])
        cells = [
            course.row.name,
            course.regimen,
            written_day(course.start) or "未记载",
            written_day(course.stop) or "未记载",
            f"{days}天" if days is not None else "未记载",
            "出院带药" if course.row.discharge else "住院用药",
        ]
        rows.append(Row(cells=cells, evidence=list(course.places)))
    return rows


def _in_notes(reading: RecordReading, name: str, found: Sequence[Course], out: Saying) -> None:
    """What the notes say of such drugs that no row has: taken before, or said otherwise."""
    known = {c.drug for c in found}
    one = next((c for c in classes() if c.name == name), None)
    said = 0
    for note in reading.notes:
        for at, drug in _named(note, one):
            fits = one is not None or drug == drug_of(name)
            if not fits or (one is not None and any(drug in k or k in drug for k in known)):
                continue
            if said >= MOST_QUOTES // 2:
                return
            out.quote(note, note.sentence(at), "病程中提到")
            said += 1


def _advised(reading: RecordReading, name: str, out: Saying) -> None:
    """What the notes of the discharge say of how long it is to be taken."""
    one = next((c for c in classes() if c.name == name), None)
    for note in reading.of_kind("discharge_day"):
        for segment in note.segments:
            named = drug_of(name) in segment.text or bool(
                one and (one.asked.search(segment.text) or one.drugs.search(segment.text))
            )
            if named:
                out.quote(note, note.span(segment.start, segment.end), "出院嘱咐")


_SHORTEST = 3


def _named(note: NoteReading, one: DrugClass | None) -> list[tuple[int, str]]:
    """The drugs that a note names, with their places; with a class only its own.

    A class is also looked for by its pattern, as many drugs are in no list.
    """
    found = [
        (m.start, drug_of(note.text[m.start : m.end]))
        for m in note.terms
        if m.kind is TermKind.DRUG
    ]
    if one is None:
        taken = {at for at, _ in found}
        more = known_drugs().find(note.text)
        return found + [
            (m.start, drug_of(note.text[m.start : m.end])) for m in more if m.start not in taken
        ]
    found = [(at, drug) for at, drug in found if one.drugs.search(drug)]
    taken = {at for at, _ in found}
    for hit in one.drugs.finditer(note.text):
        if len(hit[0]) >= _SHORTEST and hit.start() not in taken:
            found.append((hit.start(), hit[0]))
    return sorted(found)
