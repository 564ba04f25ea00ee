"""What is told of the values of one test, by the kind of question."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from assistant.grounding.segments import Scope, Segment
from assistant.tasks.record_qa.answers.result_lines import COLUMNS, line, rows_of
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.plot import line_plot
from assistant.tasks.record_qa.points import Point, number_in
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import Saying
from assistant.tasks.record_qa.series import Series
from assistant.tasks.record_qa.tests import table, wordings
from knowledge.text.folding import fold


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
    out.table(f"{found.test}结果", COLUMNS, rows_of(points))
    numbers = [(p.at, n) for p in points if p.at and (n := number_in(p, found.unit)) is not None]
    if out.plot is None:
        out.plot = line_plot(found.test, found.unit, numbers)
    if found.beside:
        out.table(f"{found.test}：病程中另有记载", COLUMNS, rows_of(found.beside[-10:]))


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
    for note, segment in _said_normal(found.test, reading):
        if not (since and note.day and note.day < since.date()):
            out.quote(note, note.span(segment.start, segment.end))
    last = kept[-1]
    out.say(f"最近一次：{line(last)}{_judged(last)}", last.evidence)
    if "达标" in asked.text or "目标" in asked.text:
        for note, segment in _said(found.test, r"[^。；;]{0,8}目标|目标[^。；;]{0,8}", reading):
            out.quote(note, note.span(segment.start, segment.end), "目标")
    if _WHEN.search(asked.text) and (first := _first_normal(kept)):
        out.say(f"首次在参考范围内：{line(first)}", first.evidence)
    if re.search(r"正常值|参考", asked.text) and last.reference:
        out.say(f"{last.name} 参考范围：{last.reference}", last.evidence)
    if len(kept) > 1:
        high = max(kept, key=lambda p: (p.number is not None, p.number or 0))
        if high is not last and high.number is not None:
            when = asked.period.words if asked.period and since else "期间"
            out.say(f"{when}最高：{line(high)}", high.evidence)
    _chart(found, kept, out)


_WHEN = re.compile(r"什么时候|何时|哪[天日]|几号")


def _first_normal(points: Sequence[Point]) -> Point | None:
    """The first value within its range behind one that was not."""
    was = False
    for point in points:
        if point.flag in ("↑", "↓", "异常"):
            was = True
        elif was and point.flag == "正常":
            return point
    return None


def _said_normal(test: str, reading: RecordReading) -> Iterator[tuple[NoteReading, Segment]]:
    """The sentences that call a test normal: 体温已正常, 体温正常2天."""
    yield from _said(test, r"[^,，。；;\d]{0,4}正常", reading)


def _said(test: str, words: str, reading: RecordReading) -> Iterator[tuple[NoteReading, Segment]]:
    """The sentences of the stay that name a test before such words, or behind them."""
    names = "|".join(
        [re.escape(fold(test)), *(p.pattern for p, own, _ in wordings() if test in own)]
    )
    said = re.compile(rf"(?:{names})(?:{words})|(?:{words})(?:{names})")
    for note in reading.notes:
        for segment in note.segments:
            if segment.scope is not Scope.PRIOR and said.search(fold(segment.text)):
                yield note, segment


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


Teller = Callable[[Series, Asked, RecordReading, Saying], None]

TELLERS: dict[str, Teller] = {
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
