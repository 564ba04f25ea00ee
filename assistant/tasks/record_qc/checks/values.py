"""Values of notes against the rows of results, and facts that two notes tell of one thing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from assistant.grounding.measured import Measured
from assistant.grounding.segments import Scope
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import Result, is_value, results, shown
from assistant.tasks.record_qc.rules import Rules
from knowledge.text.quantity import quantities

_OFTEN = frozenset(
    {
        "血糖",
        "体温",
        "脉搏",
        "心率",
        "呼吸频率",
        "血压",
        "血氧饱和度",
        "体重",
        "氧分压",
        "二氧化碳分压",
    }
)
"""What is measured many times a day, of which the rows are only some."""
_STORY = frozenset({"现病史", "主诉", "既往史", "个人史", "家族史", "婚育史", "过敏史"})
_ELSEWHERE = re.compile(
    r"外院|当地|门诊|社区|卫生院|孕\d|产前|既往|上次|基线|目标|控制在|参考|正常值"
)
_WINDOW = timedelta(days=2)


def check_values(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``value_conflict``."""
    rows: dict[str, list[Result]] = {}
    for result in results(chart):
        rows.setdefault(result.concept, []).append(result)
    names = {r.row.name: r.concept for found in rows.values() for r in found}
    for page in chart.pages:
        written = page.note.written_at
        if written is None:
            continue
        at = written.replace(tzinfo=None)
        for one in page.measured:
            concept = _concept(page, one, names)
            known = rows.get(concept, [])
            if concept in _OFTEN or not known or not _is_present(page, one):
                continue
            matched = _matched(page, rows, one.concept)
            near = [
                r
                for r in known
                if r.at
                and _tells_of(page, one, at.date(), r.at.date(), matched)
                and r.quantity.unit.converts_to(one.quantity.unit)
            ]
            if not near or any(_same(r, one) for r in known):
                continue
            start, end = one.quantity.start, one.quantity.end
            nearest = max(near, key=lambda r: r.at or at)
            yield Found(
                "value_conflict",
                f"{page.name}写“{concept} {page.text[start:end]}”，检验结果为 "
                f"{shown(nearest.row)}。",
                [page.span(start, end), *nearest.evidence],
            )


_YESTERDAY = re.compile(r"昨|前日|前天|入院时|入院后|急诊|回报|结果")


def _concept(page: Page, one: Measured, names: Mapping[str, str]) -> str:
    """What a value is of: the test of the rows whose whole name stands right before it, else the
    test that the reader of values takes it for."""
    before = page.text[max(0, one.quantity.start - 24) : one.quantity.start]
    own = [name for name in names if before.endswith(name)]
    return names[max(own, key=len)] if own else one.concept


def _tells_of(page: Page, one: Measured, written: date, measured: date, matched: set[date]) -> bool:
    """Whether a note may tell of a result of this day: its own, or the day before where it says so;
    opening notes tell of what there was when they were written."""
    if measured == written:
        return True
    if not timedelta(0) < written - measured <= _WINDOW:
        return False
    if page.kind in ("admission", "first_progress"):
        return True
    if written - measured > timedelta(days=1):
        return False
    start, end = page.sentence(one.quantity.start)
    return bool(_YESTERDAY.search(page.text[start:end])) or measured in matched


def _matched(page: Page, rows: Mapping[str, list[Result]], besides: str) -> set[date]:
    """The days of which a note tells other results as the rows have them."""
    return {
        r.at.date()
        for one in page.measured
        if one.concept != besides
        for r in rows.get(one.concept, [])
        if r.at and r.quantity.unit.converts_to(one.quantity.unit) and _same(r, one)
    }


def _is_present(page: Page, one: Measured) -> bool:
    quantity = one.quantity
    if (
        not is_value(page, one)
        or quantity.shape != "one"
        or quantity.comparator
        or not quantity.unit
    ):
        return False
    if one.moment in ("first", "earlier", "left") or quantity.about:
        return False
    section = page.section_at(quantity.start)
    if section in _STORY:
        return False
    clause = page.clause_at(quantity.start)
    if clause is None or clause.scope is Scope.PRIOR:
        return False
    if {"planned", "thought", "family", "undone"} & clause.stances:
        return False
    start, end = page.sentence(quantity.start)
    return not _ELSEWHERE.search(page.text[start:end])


def _same(result: Result, one: Measured) -> bool:
    mine, theirs = result.quantity, one.quantity
    if not mine.unit.converts_to(theirs.unit):
        return False
    low, high = min(mine.base), max(theirs.base)
    return abs(low - high) <= abs(low) * 3 / 1000


_STATED: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("术中出血量", re.compile(r"(?:术中|手术)?(?:失血|出血)(?:量)?约?(?=\d)"), "mL"),
    ("引流管数", re.compile(r"放置引流管(?=\d)"), ""),
)
_BLOOD = re.compile(
    r"血型\s*[:：为是]?\s*(?P<type>AB|A|B|O)(?![A-Za-z])\s*型?|(?P<type2>AB|A|B|O)\s*型(?:血|，?R[hH]|去白|悬浮|洗涤|红细胞|新鲜|单采|血浆)"
)
_RHESUS = re.compile(r"R[hH][（(]?\s*D?[)）]?\s*(?P<sign>阳性|阴性|[（(][+-][)）]|\+|-)")
_ANAESTHESIA = {
    "全身麻醉": re.compile(r"全身麻醉|全麻"),
    "椎管内麻醉": re.compile(r"腰硬联合麻醉|腰硬联合|硬膜外麻醉|腰麻|蛛网膜下腔|椎管内麻醉"),
    "局部麻醉": re.compile(r"局部麻醉|局麻|局部浸润麻醉"),
}


def check_stated(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``stated_conflict``: blood lost, blood group and anaesthesia are one in all notes."""
    for name, pattern, unit in _STATED:
        seen = [
            (page, q)
            for page in chart.of_kind("operation", "progress", "discharge_day")
            for hit in page.find(pattern)
            for q in quantities(page.text)
            if q.start == hit.end() and q.unit.shown == unit and _of_operation(page, hit.end())
        ]
        firsts = [s for s in seen if s[0].kind == "operation"] or seen[:1]
        if len({p.note.id for p, _ in firsts}) != 1:
            continue
        for page, quantity in seen:
            base = {b for _, q in firsts for b in q.base}
            if page is not firsts[0][0] and not set(quantity.base) & base:
                other, first = firsts[0]
                yield Found(
                    "stated_conflict",
                    f"{name}：{other.name}为 {other.text[first.start : first.end]}，"
                    f"{page.name}为 {page.text[quantity.start : quantity.end]}。",
                    [page.span(quantity.start, quantity.end), other.span(first.start, first.end)],
                )
    yield from _one_of(chart, "血型", _BLOOD)
    yield from _one_of(chart, "Rh 血型", _RHESUS)
    yield from _anaesthesia(chart)


def _of_operation(page: Page, at: int) -> bool:
    start, _ = page.sentence(at)
    return page.kind == "operation" or "术" in page.text[start:at]


def _one_of(chart: Chart, name: str, pattern: re.Pattern[str]) -> Iterator[Found]:
    first: tuple[Page, re.Match[str], str] | None = None
    for page in chart.pages:
        for hit in page.find(pattern):
            said = next(g for g in hit.groups() if g)
            said = (
                "+"
                if "+" in said or said == "阳性"
                else "-"
                if "-" in said or said == "阴性"
                else said
            )
            clause = page.clause_at(hit.start())
            if clause is not None and (
                "family" in clause.stances or re.search(r"婴|新生儿|丈夫|供", clause.text)
            ):
                continue
            if first is None:
                first = page, hit, said
            elif first[2] != said:
                yield Found(
                    "stated_conflict",
                    f"{name}：{first[0].name}为“{first[1][0]}”，{page.name}为“{hit[0]}”。",
                    [page.span(*hit.span()), first[0].span(*first[1].span())],
                )
                return


def _anaesthesia(chart: Chart) -> Iterator[Found]:
    pages = chart.of_kind("operation")
    if len(pages) != 1 or len(chart.encounter.operations) > 1:
        return
    own = pages[0]
    used = {n for n, p in _ANAESTHESIA.items() if p.search(own.text)}
    for page in chart.of_kind("progress", "discharge_day"):
        if page.day is None or own.day is None or (page.day - own.day).days > 3:
            continue
        for name, pattern in _ANAESTHESIA.items():
            hit = next(page.find(pattern), None)
            if hit is None or not used or name in used:
                continue
            clause = page.clause_at(hit.start())
            if clause is None or clause.scope is Scope.PRIOR:
                continue
            there = next(own.find(_ANAESTHESIA[next(iter(used))]))
            yield Found(
                "stated_conflict",
                f"麻醉方式：{own.name}为“{there[0]}”，{page.name}为“{hit[0]}”。",
                [page.span(*hit.span()), own.span(*there.span())],
            )
