"""Results of a test: over time, first, last, highest, lowest, nth, on a day, changed, normal."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime

from assistant.grounding.segments import Scope
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.answers.result_lines import COLUMNS, line, rows_of
from assistant.tasks.record_qa.answers.result_tellers import TELLERS
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.head import naive
from assistant.tasks.record_qa.periods import Period
from assistant.tasks.record_qa.points import Point, rows
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.series import BEFORE, Series, of_others, series
from knowledge.text.folding import fold


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Every test that the question names, each by the kind that is asked for."""
    tell = TELLERS[asked.kind]
    empty = []
    for test in asked.tests:
        found = _qualified(series(reading, test), asked.text)
        if asked.day is not None and asked.kind != "on_day":
            found = _on(found, asked.day)
        elif asked.kind in _AROUND and asked.period is not None:
            around = _within(found, asked.period)
            if around is None and found.points:
                out.note(f"没有{asked.period.words}的{test}结果，以下为其他时间的结果。")
            found = around or found
        if not found.points:
            empty.append(found)
            continue
        tell(found, asked, reading, out)
        _remarks(found, out)
    for found in empty:
        # Of a group (肾功能) only what is there counts.
        if len(asked.tests) == 1 or len(empty) == len(asked.tests):
            _nothing(found, asked, reading, out)


_AROUND = frozenset({"highest", "lowest", "trend", "latest", "first", "previous", "nth"})
"""Kinds that look at what is before or after an event, where that is asked."""

_QUALIFIED = re.compile(r"空腹|餐前|餐后|睡前|随机")


def _qualified(found: Series, text: str) -> Series:
    """Without what was taken at another time of the day than the question says: 空腹 is not 餐后.

    A row that says no time is kept.
    """
    wanted = set(_QUALIFIED.findall(text))
    if not wanted:
        return found

    def fits(point: Point) -> bool:
        said = set(_QUALIFIED.findall(point.name)) or set(_told(point))
        return not said or bool(said & wanted)

    return replace(
        found,
        points=[p for p in found.points if fits(p)],
        earlier=[p for p in found.earlier if fits(p)],
        pending=[p for p in found.pending if fits(p)],
        beside=[p for p in found.beside if fits(p)],
    )


def _told(point: Point) -> list[str]:
    """The time of the day that a note says; none where its sentence tells of several."""
    said = _QUALIFIED.findall(point.evidence.quote) if point.of_note else []
    return said if len(set(said)) == 1 else []


def _within(found: Series, period: Period) -> Series | None:
    """The values of a period; None where it has none."""

    def fits(point: Point) -> bool:
        return period.holds(naive(point.at), point.evidence.quote if point.of_note else "")

    points = [p for p in found.points if fits(p)]
    beside = [p for p in found.beside if fits(p)]
    return replace(found, points=points, beside=beside, earlier=[]) if points else None


def _on(found: Series, day: date) -> Series:
    return replace(found, points=[p for p in found.points if p.day == day], beside=[])


def _nothing(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    when = f"{asked.day.month}月{asked.day.day}日" if asked.day else "本次住院"
    for point in found.pending:
        out.say(f"{point.name}：结果未回（{point.when}送检）。", point.evidence)
    if found.pending:
        return
    places = [] if asked.day or found.earlier else _named(found.test, asked.text, reading)
    if places:
        has_value = any(valued for _, _, valued in places)
        out.note(
            f"结果栏没有{found.test}，病程中提到（见原文，请核对）。",
            None if has_value else "not_recorded",
        )
        for note, place, _ in places[-MOST_QUOTES:]:
            out.quote(note, place)
        return
    out.note(f"病历未记载{when}的{found.test}结果。", "not_recorded")
    for point in found.earlier[-3:]:
        out.say(f"仅有入院前（既往或院外）的记载：{line(point)}", point.evidence)


def _named(
    test: str, text: str, reading: RecordReading
) -> list[tuple[NoteReading, TextSpan, bool]]:
    """The sentences of this stay's notes that name a test of which no value could be read
    (尿量2000ml/日; 病理：…), and whether something like a value follows."""
    bare = test.removesuffix("检查")
    words = [fold(w) for w in (test, test.replace("24小时", "24h"), *([bare] * (bare in text)))]
    named = re.compile("|".join(map(re.escape, words)))
    found: dict[tuple[str, int], tuple[NoteReading, TextSpan, bool]] = {}
    for note in reading.notes:
        for hit in named.finditer(note.document.folded):
            place = note.sentence(hit.start())
            if note.scope(hit.start()) is Scope.PRIOR or of_others(place.quote, reading):
                continue
            valued = _VALUED.match(note.document.folded, hit.end()) is not None
            before = found.get((note.note.id, place.start))
            found[note.note.id, place.start] = (
                note, place, valued or bool(before and before[2])
            )  # fmt: skip
    return list(found.values())


_VALUED = re.compile(r"[^,。;\n]{0,8}[\d:]")


def _remarks(found: Series, out: Saying) -> None:
    """What a reader of the values must know."""
    for point in found.pending:
        out.say(f"另有 {point.name} 结果未回（{point.when}送检）。", point.evidence)
    units = {p.unit for p in found.points if p.number is not None}
    if found.apart():
        out.warn(f"{found.test}的结果单位不同且不能换算，只比较了 {found.unit} 的结果。")
        for point in found.apart():
            out.say(f"单位不同，未比较：{line(point)}", point.evidence)
    elif len(units) > 1:
        out.warn(f"{found.test}的结果有不同单位（{'、'.join(sorted(units))}），比较前已换算。")
    seen: dict[tuple[str, datetime], Point] = {}
    for point in found.points:
        if point.at is None or not point.exact or point.number is None:
            continue
        other = seen.setdefault((point.name, point.at), point)
        if other.shown != point.shown:
            out.warn(
                f"{point.name} 在 {point.when} 有两个不同的结果（{other.shown}、{point.shown}），"
                "请核对原始报告。"
            )


def abnormal(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """All rows that are flagged, the newest of each test said apart."""
    since = reading.admitted - BEFORE if reading.admitted else None
    kept = [p for p in rows(reading) if not p.pending and not (since and p.at and p.at < since)]
    flagged = [p for p in kept if p.flag in ("↑", "↓", "异常")]
    if asked.day:
        flagged = [p for p in flagged if p.day == asked.day]
    if not flagged:
        out.note("检验数据中没有标记异常的结果。", "not_recorded")
        return
    out.note(f"检验数据中标记异常的共 {len(flagged)} 项次。")
    newest = {p.test: p for p in kept}
    for test in dict.fromkeys(p.test for p in flagged):
        last = newest[test]
        state = "最近一次仍异常" if last.flag in ("↑", "↓", "异常") else "最近一次已不再标记异常"
        own = [p for p in flagged if p.test == test]
        out.say(f"{line(own[-1])}，{state}。", own[-1].evidence, last.evidence)
    out.table("异常结果", COLUMNS, rows_of(flagged))
