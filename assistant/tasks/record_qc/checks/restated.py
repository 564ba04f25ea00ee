"""The first note of the course tells again what the admission note has: with its numbers."""

from __future__ import annotations

from collections.abc import Iterator

from assistant.grounding.measured import Measured
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import is_value, results
from assistant.tasks.record_qc.rules import Rules

_WEEKS = 60
"""Days up to which a length is that of an acute illness."""
_FEATURES = ("病例特点", "病史特点", "病情特点")


def check_restated(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``stated_conflict`` and ``onset_conflict`` between the two opening notes."""
    admission, first = chart.of_kind("admission"), chart.of_kind("first_progress")
    if len(admission) != 1 or len(first) != 1:
        return
    yield from _values(chart, admission[0], first[0])
    yield from _lengths(admission[0], first[0])


def _values(chart: Chart, admission: Page, first: Page) -> Iterator[Found]:
    known: dict[str, list[Measured]] = {}
    for one in admission.measured:
        if one.concept and is_value(admission, one):
            known.setdefault(one.concept, []).append(one)
    rows = {r.concept for r in results(chart)}
    for one in first.measured:
        quantity = one.quantity
        before = known.get(one.concept, [])
        if not before or not is_value(first, one) or quantity.shape not in ("one", "pair"):
            continue
        if first.section_at(quantity.start) not in (*_FEATURES, "查体", "诊断依据"):
            continue
        # A result of its own day is held against the rows of results.
        if one.concept in rows or any(_same(one, other) for other in before):
            continue
        other = before[0]
        yield Found(
            "stated_conflict",
            f"{one.concept}：{admission.name}为"
            f" {admission.text[other.quantity.start : other.quantity.end]}，{first.name}为"
            f" {first.text[quantity.start : quantity.end]}。",
            [
                first.span(quantity.start, quantity.end),
                admission.span(other.quantity.start, other.quantity.end),
            ],
        )


def _same(one: Measured, other: Measured) -> bool:
    mine, theirs = one.quantity, other.quantity
    if mine.unit and theirs.unit and not mine.unit.converts_to(theirs.unit):
        return False
    if mine.unit and theirs.unit:
        return bool(set(mine.base) & set(theirs.base))
    return bool(set(mine.values) & set(theirs.values))


def _lengths(admission: Page, first: Page) -> Iterator[Found]:
    """How long complaints last: each length of the features is one of the admission note."""
    complaint = admission.section("主诉")
    if not complaint:
        return
    start, end = complaint[0]
    said = [t for t in admission.times if start <= t.start < end and t.days]
    lengths = {round(abs(t.days), 2) for t in admission.times if t.days}
    for section_start, section_end in first.section(*_FEATURES):
        for time in first.times:
            if not section_start <= time.start < section_end or not time.days:
                continue
            words = first.text[time.start : time.end]
            if time.kind != "duration" or "岁" in words or not said:
                continue
            days = round(abs(time.days), 2)
            if any(abs(d - days) <= d * 0.05 for d in lengths):
                continue
            # Only what is told in the unit of the complaint can be a slip of it; years are told of
            # many things.
            if days > _WEEKS:
                continue
            near = [t for t in said if admission.text[t.end - 1] == words[-1]]
            if near:
                yield Found(
                    "onset_conflict",
                    f"{first.name}写“{words}”，主诉为"
                    f"“{admission.text[near[0].start : near[0].end]}”。",
                    [
                        first.span(time.start, time.end),
                        admission.span(near[0].start, near[0].end),
                    ],
                )
                return
