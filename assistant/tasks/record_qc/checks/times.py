"""Time limits of notes, the order of events, and dates that no calendar has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.record.operation import Operation
from assistant.tasks.record_qc.chart import ROUND, Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Deadline, Rules
from knowledge.text.dates import impossible_dates

_HELD = re.compile(
    r"(?:主治|主任|上级)[^。；;\n]{0,10}(?:查房|查看)|查房[^。；;\n]{0,8}(?:主治|主任|上级)"
)
_NO_DAY = re.compile(
    r"(?:拟|于|已|定于|自|至|约|[（(])(?P<day>(?:1[0-2]|0?[1-9])-(?:3[2-9]|[4-9]\d))(?=[\u4e00-\u9fff])(?![天次个片支粒年岁])"
)
"""A month and day that no calendar has: 拟12-34复查."""

_SLACK = timedelta(minutes=5)


def check_deadlines(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``late_note``."""
    for limit in rules.deadlines:
        for event, pages, shown in _events(chart, limit, rules):
            if event is None:
                continue
            written = [w for p in pages if (w := _written(p)) is not None]
            if not written:
                continue
            late = min(written) - event
            if late > timedelta(hours=limit.hours) + _SLACK:
                page = next(p for p in pages if _written(p) == min(written))
                hours = late / timedelta(hours=1)
                yield Found(
                    "late_note",
                    f"{limit.name}应在{_AFTER[limit.after]}后 {limit.hours:g} 小时内完成，"
                    f"{page.name}写于其后 {hours:.0f} 小时。",
                    [page.span(0, min(len(page.text), 30)), *shown],
                )


_AFTER = {"admission": "入院", "operation": "手术", "discharge": "出院"}


def _events(
    chart: Chart, limit: Deadline, rules: Rules
) -> Iterator[tuple[datetime | None, list[Page], list[TextSpan]]]:
    encounter = chart.encounter
    if limit.kind == "operation":
        for number, row in enumerate(encounter.operations):
            at = row.at.replace(tzinfo=None) if row.at else None
            yield at, _of_operation(chart, encounter, row), chart.row("operations", number)
        return
    event = chart.admitted if limit.after == "admission" else chart.left
    if limit.kind == "round":
        yield event, _rounds(chart, rules, limit), []
    elif limit.kind == "admission":
        yield event, [p for p in chart.of_kind("admission") if "再次" not in p.note.title], []
    else:
        yield event, chart.of_kind(limit.kind), []


def _rounds(chart: Chart, rules: Rules, limit: Deadline) -> list[Page]:
    """The rounds of senior doctors, where the stay was long enough for one."""
    if chart.hours is not None and chart.hours < limit.hours:
        return []
    pages = [p for p in chart.pages if p.kind not in ("nursing", "admission", "operation")]
    rounds = [p for p in pages if "查房" in p.note.title]
    found = rounds or [p for p in pages if _HELD.search(p.text)]
    any_senior = [p for p in pages if "查房" in p.note.title or ROUND.search(p.text)]
    if not found and rules.require_round:
        return [p for p in pages if p.kind == "progress"][-1:]
    senior = {
        p.note.author for p in rounds if p.note.author and not re.search(r"日常", p.note.title)
    }
    senior |= {
        p.note.author
        for p in chart.pages
        if p.note.author and re.search(rf"{re.escape(p.note.author)}(?:副?主任|主治)", chart.text)
    }
    any_senior += [p for p in chart.pages if p.note.author in senior and p not in any_senior]
    early = [p for p in any_senior if (w := _written(p)) and chart.admitted and w <= chart.admitted
             + timedelta(hours=limit.hours)]  # fmt: skip
    return early or found


def _of_operation(chart: Chart, encounter: Encounter, row: Operation) -> list[Page]:
    pages = chart.of_kind("operation")
    own = [p for p in pages if p.note.id == row.note_id]
    if own:
        return own
    # Without a link a note tells of the operation only where there is one of either.
    return pages if len(encounter.operations) == 1 and len(pages) == 1 else []


def _written(page: Page) -> datetime | None:
    at = page.note.written_at
    return at.replace(tzinfo=None) if at else None


def check_order(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``discharge_before_admission``, ``date_order`` and ``impossible_date``."""
    admitted, left = chart.admitted, chart.left
    if admitted and left and left < admitted:
        yield Found(
            "discharge_before_admission",
            f"出院时间 {left:%Y-%m-%d %H:%M} 早于入院时间 {admitted:%Y-%m-%d %H:%M}。",
        )
        return
    for page in chart.pages:
        at = _written(page)
        if at is None or page.kind == "other":
            continue
        problem = _wrong_time(page, at, admitted, left)
        if problem:
            yield Found("date_order", problem, [page.span(0, min(len(page.text), 30))])
    for number, row in enumerate(chart.encounter.operations):
        for page in _of_operation(chart, chart.encounter, row):
            at = _written(page)
            if at and row.at and at < row.at.replace(tzinfo=None) - _SLACK:
                yield Found(
                    "date_order",
                    f"{page.name}写于手术开始（{row.at:%m-%d %H:%M}）之前。",
                    [page.span(0, min(len(page.text), 30)), *chart.row("operations", number)],
                )
    for page in chart.pages:
        for hit in _NO_DAY.finditer(page.text):
            yield Found(
                "impossible_date", f"{page.name}的日期“{hit['day']}”不存在。",
                [page.span(*hit.span("day"))],
            )  # fmt: skip
        for day in impossible_dates(page.text):
            words = page.text[day.start : day.end]
            yield Found(
                "impossible_date", f"{page.name}的日期“{words}”不存在。",
                [page.span(day.start, day.end)],
            )  # fmt: skip


def _wrong_time(page: Page, at: datetime, admitted: datetime | None, left: datetime | None) -> str:
    # What the emergency room wrote may stand among the notes: only the stay's own are held to it.
    own = page.kind in ("admission", "first_progress", "progress", "discharge_day")
    if own and admitted and at < admitted - timedelta(hours=1):
        return f"{page.name}的书写时间早于入院时间。"
    daily = page.kind in ("progress", "nursing", "first_progress")
    if daily and left and at > left + timedelta(hours=24):
        return f"{page.name}的书写时间晚于出院时间。"
    return ""


def check_note_order(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``date_order`` among notes: a stay goes from admission to discharge."""
    leaving = [p for p in chart.of_kind("discharge_day") if _written(p)]
    first = [p for p in chart.of_kind("first_progress") if _written(p)]
    for page in chart.of_kind("progress"):
        at = _written(page)
        if at is None:
            continue
        if first and at < (_written(first[0]) or at) - timedelta(hours=12):
            yield Found(
                "date_order",
                f"{page.name}早于首次病程记录。",
                [page.span(0, min(len(page.text), 30))],
            )
        elif leaving and at.date() > (_written(leaving[-1]) or at).date():
            yield Found(
                "date_order",
                f"{page.name}晚于出院当日病程记录。",
                [page.span(0, min(len(page.text), 30))],
            )
