"""Results of a test: over time, first, last, highest, lowest, nth, on a day, changed, normal."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime

from assistant.grounding.segments import Scope
from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import Row
from assistant.tasks.record_qa.head import naive
from assistant.tasks.record_qa.periods import Period
from assistant.tasks.record_qa.plot import line_plot
from assistant.tasks.record_qa.points import Point, number_in, rows
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.series import BEFORE, Series, of_others, series
from assistant.tasks.record_qa.tests import table
from knowledge.text.folding import fold

_COLUMNS = ["项目", "结果", "提示", "参考", "时间", "来源"]


def line(point: Point) -> str:
    """``血钾 3.4mmol/L ↓（2025年6月12日 06:00）``"""
    flag = f" {point.flag}" if point.flag not in ("", "正常") else ""
    source = f"，{point.of_note}" if point.of_note else ""
    return f"{point.name} {point.shown}{flag}（{point.when}{source}）"


def rows_of(points: Sequence[Point]) -> list[Row]:
    """The points as lines of a table."""
    return [
        Row(
            cells=[p.name, p.shown, p.flag, p.reference, p.when, p.of_note or "检验数据"],
            evidence=[p.evidence],
        )
        for p in points
    ]


Teller = Callable[[Series, Asked, RecordReading, Saying], None]


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Every test that the question names, each by the kind that is asked for."""
    tell = _TELLERS[asked.kind]
    empty = []
    for test in asked.tests:
        found = _qualified(series(reading, test), asked.text)
        if asked.day is not None and asked.kind != "on_day":
            found = _on(found, asked.day)
        elif asked.kind in _AROUND and asked.period is not None:
            around = _within(found, asked.period)
            if around is None:
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
    words = [fold(w) for w in (test, test.removesuffix("检查")) if w == test or w in text]
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


def _trend(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    points = found.points[-asked.count :] if asked.count else found.points
    if asked.count and len(points) < asked.count:
        out.note(f"{found.test}只有 {len(points)} 次结果。")
    said = " → ".join(f"{p.shown}{_arrow(p)}（{p.when[5:]}）" for p in points[-12:])
    out.say(f"{found.test}共 {len(points)} 次：{said}", *[p.evidence for p in points[-12:]])
    _chart(found, points, out)


def _arrow(point: Point) -> str:
    return point.flag if point.flag in ("↑", "↓") else ""


def _chart(found: Series, points: Sequence[Point], out: Saying) -> None:
    out.table(f"{found.test}结果", _COLUMNS, rows_of(points))
    numbers = [(p.at, n) for p in points if p.at and (n := number_in(p, found.unit)) is not None]
    if out.plot is None:
        out.plot = line_plot(found.test, found.unit, numbers)
    if found.beside:
        out.table(f"{found.test}：病程中另有记载", _COLUMNS, rows_of(found.beside[-10:]))


def _extreme(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    numbers = found.numbers()
    word, best = ("最高", max) if asked.kind == "highest" else ("最低", min)
    if not numbers:
        out.note(f"{found.test}没有可比较的数值。")
        _latest(found, asked, reading, out)
        return
    value = best(n for _, n in numbers)
    reached = [p for p, n in numbers if n == value]
    which = reached[0]
    again = "".join(f"、{p.when}" for p in reached[1:])
    flag = f" {which.flag}" if which.flag not in ("", "正常") else ""
    source = f"，{which.of_note}" if which.of_note else ""
    shown = (
        which.shown
        if which.unit == found.unit
        else f"{which.shown}（={value:.4g}{_joint(found.unit)}）"
    )
    beaten = [
        p
        for p in found.beside
        if (n := number_in(p, found.unit)) is not None and best(n, value) == n and n != value
    ]
    # The rows are no whole answer where a note tells of a value beyond theirs.
    of_rows = "检验数据中" if beaten else ""
    out.say(
        f"{of_rows}{found.test}{word} {shown}{flag}（{which.when}{again}{source}）；"
        f"本次住院共 {len(numbers)} 次结果。",
        *[p.evidence for p in reached],
    )
    last = numbers[-1][0]
    if last not in reached:
        out.say(f"最近一次：{line(last)}", last.evidence)
    for point in [*found.beside, *found.earlier]:
        number = number_in(point, found.unit)
        if number is not None and best(number, value) == number and number != value:
            when = "入院前（既往或院外）" if point.earlier else f"{point.of_note}"
            beyond = "" if point.earlier else f"，{'更高' if best is max else '更低'}"
            out.say(f"{when}另记载{found.test} {point.shown}{beyond}。", point.evidence)
    _chart(found, found.points, out)


def _latest(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    last = found.points[-1]
    same = [p for p in found.points if p.at == last.at]
    first = found.points[0]
    if asked.period and asked.period.after and first not in same:
        out.say(f"{asked.period.words}首次：{line(first)}", first.evidence)
    for point in same:
        out.say(f"最近一次：{line(point)}", point.evidence)
    if len(found.points) > len(same):
        before = [p for p in found.points if p not in same][-1]
        out.say(f"前一次：{line(before)}", before.evidence)
    for point in found.beside:
        # A note may also speak of an earlier value, so this is no newer result for certain.
        if point.at and last.at and point.at.date() > last.at.date():
            out.say(f"病程中另有较晚的记载（请核对）：{line(point)}", point.evidence)


def _first(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    first = found.points[0]
    for point in [p for p in found.points if p.at == first.at]:
        out.say(f"第一次：{line(point)}", point.evidence)


def _previous(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    if len(found.points) < 2:
        out.note(f"{found.test}只有 1 次结果，没有上一次。")
        _latest(found, asked, reading, out)
        return
    before, last = found.points[-2], found.points[-1]
    out.say(f"上一次：{line(before)}", before.evidence)
    out.say(f"最近一次：{line(last)}", last.evidence)


def _nth(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    number = asked.nth or 1
    if number > len(found.points):
        out.note(
            f"{found.test}只有 {len(found.points)} 次结果，没有第 {number} 次。", "not_recorded"
        )
        return
    point = found.points[number - 1]
    out.say(f"第 {number} 次：{line(point)}", point.evidence)


def _on_day(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    day = asked.day
    if day is None:
        _latest(found, asked, reading, out)
        return
    of_day = [p for p in [*found.points, *found.beside] if p.day == day]
    for point in of_day:
        out.say(line(point), point.evidence)
    if of_day:
        return
    out.note(f"{day.year}年{day.month}月{day.day}日没有{found.test}的结果。", "not_recorded")
    dated = [(abs((p.at.date() - day).days), p) for p in found.points if p.at]
    near = min(dated, key=lambda one: one[0])[1] if dated else None
    if near is not None:
        out.say(f"最接近的一次：{line(near)}", near.evidence)


def _change(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    numbers = found.numbers()
    if len(numbers) < 2:
        out.note(f"{found.test}只有 1 次可比较的结果，不能说明变化。")
        _latest(found, asked, reading, out)
        return
    (first, a), (last, b) = numbers[0], numbers[-1]
    difference = round(b - a, 6)
    if difference == 0:
        said = "前后相同"
    else:
        share = f"，{abs(difference) / abs(a):.0%}" if a else ""
        way = "升高" if difference > 0 else "下降"
        said = f"{way} {abs(difference):.6g}{_joint(found.unit)}{share}"
    out.say(
        f"{found.test}由 {first.shown}（{first.when}）到 {last.shown}（{last.when}），{said}。",
        first.evidence,
        last.evidence,
    )
    high = max(numbers, key=lambda one: one[1])
    low = min(numbers, key=lambda one: one[1])
    for word, (point, number) in (("最高", high), ("最低", low)):
        if number not in (a, b):
            out.say(f"期间{word}：{line(point)}", point.evidence)
    _chart(found, found.points, out)


def _joint(unit: str) -> str:
    """The unit behind a number: 8 and 10^9/L are 8×10^9/L, not 810^9/L."""
    return f"×{unit}" if unit[:1].isdigit() else unit


def _normal(found: Series, asked: Asked, reading: RecordReading, out: Saying) -> None:
    since = asked.period.at if asked.period and asked.period.after else None
    if since is None and "术后" in asked.text:
        out.note("病历未记载手术时间，以下为全部结果。")
    kept = [p for p in found.points if since is None or (p.at and p.at.date() >= since.date())]
    if not kept:
        when = asked.period.words if asked.period else "本次住院"
        out.note(f"病历未记载{when}的{found.test}。", "not_recorded")
        return
    last = kept[-1]
    out.say(f"最近一次：{line(last)}{_judged(last)}", last.evidence)
    if re.search(r"正常值|参考", asked.text) and last.reference:
        out.say(f"{last.name} 参考范围：{last.reference}", last.evidence)
    if len(kept) > 1:
        high = max(kept, key=lambda p: (p.number is not None, p.number or 0))
        if high is not last and high.number is not None:
            out.say(f"{asked.period.words if asked.period and since else '期间'}最高：{line(high)}", high.evidence)
    for note in reading.notes:
        if since and note.day and note.day < since.date():
            continue
        for segment in note.segments:
            if found.test == "体温" and (
                "体温正常" in segment.text or "体温已正常" in segment.text
            ):
                out.quote(note, note.span(segment.start, segment.end))
    _chart(found, kept, out)


def _judged(point: Point) -> str:
    if point.flag:
        words = {
            "↑": "高于参考范围",
            "↓": "低于参考范围",
            "异常": "标记为异常",
            "正常": "在参考范围内",
        }
        said = words.get(point.flag, point.flag)
        return f"，{said}" + (f"（{point.reference}）" if point.reference else "")
    found = next((r for r in table("vital_ranges.tsv") if r[0] == point.test), None)
    if found is None or point.number is None:
        return "，病历未给参考范围，未作判断" if point.number is not None else ""
    low, high = float(found[1]), float(found[2])
    pair = [float(v) for v in found[4:6]]
    is_high = point.number > high or bool(pair and point.pair and point.pair > pair[1])
    is_low = point.number < low or bool(pair and point.pair and point.pair < pair[0])
    said = "偏高" if is_high else "偏低" if is_low else "在通常范围内"
    lower = f"/{found[4]}–{found[5]}" if pair else ""
    return f"，{said}（成人通常 {found[1]}–{found[2]}{lower}{found[3]}）"


_TELLERS: dict[str, Teller] = {
    "trend": _trend,
    "highest": _extreme,
    "lowest": _extreme,
    "latest": _latest,
    "first": _first,
    "previous": _previous,
    "nth": _nth,
    "on_day": _on_day,
    "change": _change,
    "normal": _normal,
}
KINDS = frozenset(_TELLERS)


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
    out.table("异常结果", _COLUMNS, rows_of(flagged))
