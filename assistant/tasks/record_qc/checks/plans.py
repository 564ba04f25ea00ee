"""Plans of examinations that nothing later tells of, and results that were pending at discharge."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.grounding.examinations import Examination, results
from assistant.grounding.wording import bigrams
from assistant.tasks.record_qc.chart import Chart, Clause, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules
from knowledge.text.phrases import phrases_of

_PHRASES = phrases_of("assistant.tasks.record_qc")
_MEANT = _PHRASES["meant"]
_PERHAPS = _PHRASES["perhaps"]
_UNDONE = _PHRASES["undone"]
_CALLED = _PHRASES["called"]
_CONDITION = _PHRASES["condition"]
_LATER = _PHRASES["later"]
_NOT_CALLED = _PHRASES["not_called"]
_KINDS = frozenset(
    {"PET-CT", "CTA", "CT", "MRI", "X线", "超声", "动态心电图", "脑电图", "肌电图", "胃镜", "肠镜",
     "支气管镜", "膀胱镜", "宫腔镜", "造影", "培养", "骨髓", "肺功能", "骨密度", "骨扫描"}
)  # fmt: skip


def check_plans(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``plan_not_followed``."""
    if chart.left is None:
        # A stay that goes on may still do what is planned.
        return
    for page in chart.of_kind("first_progress", "progress", "consultation"):
        if page.kind == "consultation":
            continue
        for clause in page.clauses:
            yield from _called(chart, page, clause)
            if not _is_plan(page, clause):
                continue
            for exam in _planned(clause):
                if not _followed(chart, page, clause, exam):
                    yield Found(
                        "plan_not_followed",
                        f"{page.name}计划“{clause.text.strip()[:40]}”，此后没有结果或说明。",
                        [page.span(clause.start, clause.end)],
                    )
                    break


def _is_plan(page: Page, clause: Clause) -> bool:
    if not _MEANT.search(clause.text):
        if clause.section not in ("诊疗计划", "治疗计划", "诊疗方案", "计划"):
            return False
        start, _ = page.sentence(clause.start)
        if not _MEANT.search(page.text[start : clause.start]):
            return False
    before = page.text[max(0, clause.start - 10) : clause.start]
    return not _PERHAPS.search(clause.text) and not _CONDITION.search(before)


def _planned(clause: Clause) -> list[Examination]:
    text = clause.text
    hit = _MEANT.search(text)
    found = [e for r in results(text[hit.end() :] if hit else text) for e in r.examinations]
    # The last examination of a clause has no result behind it.
    listed = results((text[hit.end() :] if hit else text) + "：见")
    found += [e for r in listed for e in r.examinations]
    return [e for e in dict.fromkeys(found) if e.kind in _KINDS]


def _followed(chart: Chart, page: Page, clause: Clause, exam: Examination) -> bool:
    for order in chart.encounter.orders:
        if order.status in ("completed", "pending", "active") and _has(order.text, exam):
            return True
    if any(_has(row.name, exam) for row in chart.encounter.observations):
        return True
    if any(_has(row.name, exam) for row in chart.encounter.operations):
        return True
    passed = False
    for other in chart.pages:
        if other is page:
            passed = True
            if _has_outside(page, clause, exam):
                return True
            continue
        later = passed or (other.day and page.day and other.day >= page.day)
        if not later or other.kind == "admission":
            continue
        for one in other.clauses:
            if exam.kind in {e.kind for e in _exams(one.text)} and _has(one.text, exam):
                if _is_plan(other, one) and not _UNDONE.search(one.text):
                    continue
                if _PERHAPS.search(one.text) and _LATER.search(one.text):
                    continue
                return True
    return False


def _has_outside(page: Page, clause: Clause, exam: Examination) -> bool:
    return any(
        _has(c.text, exam) and ("回报" in c.text or "示" in c.text)
        for c in page.clauses
        if c.start > clause.end
    )


def _exams(text: str) -> list[Examination]:
    return [e for r in results(f"{text.rstrip('。；;，,')}：见") for e in r.examinations]


def _has(text: str, exam: Examination) -> bool:
    alike = {"CTA": {"CT", "CTA", "造影"}, "造影": {"造影", "CTA"}, "MRI": {"MRI"}}
    return any(
        (e.kind == exam.kind or e.kind in alike.get(exam.kind, set()))
        and (not e.sites or not exam.sites or bool(e.sites & exam.sites))
        for e in _exams(text)
    )


def _called(chart: Chart, page: Page, clause: Clause) -> Iterator[Found]:
    """A consultation that was asked for, and none that came."""
    hit = _CALLED.search(clause.text)
    if hit is None or _NOT_CALLED.search(clause.text):
        return
    passed = False
    who = hit["who"].removesuffix("科")
    for other in chart.pages:
        if other is page:
            passed = True
            rest = page.text[clause.end :]
            if re.search(rf"{re.escape(who[-3:])}[^。]{{0,10}}会诊(?:意见|后|考虑|建议|示)", rest):
                return
            continue
        if not passed:
            continue
        if other.kind == "consultation" or re.search(
            rf"{re.escape(who[-2:])}[^。]{{0,12}}会诊|会诊意见|会诊后", other.text
        ):
            return
    yield Found(
        "plan_not_followed",
        f"{page.name}“{hit[0]}”，此后没有会诊记录或意见。",
        [page.span(clause.start + hit.start(), clause.start + hit.end())],
    )


_WAIT = _PHRASES["awaited"]


def check_pending(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``pending_result``: the discharge notes do not tell of a result that is not there yet."""
    leaving = chart.of_kind("discharge_day")
    if not leaving:
        return
    rows = [
        (row.name, "observations", n)
        for n, row in enumerate(chart.encounter.observations)
        if row.status == "pending"
    ]
    rows += [
        (row.text, "orders", n)
        for n, row in enumerate(chart.encounter.orders)
        if row.status == "pending"
    ]
    done: list[set[str]] = []
    for name, table, number in rows:
        wanted = bigrams(name)
        if any(len(wanted & d) >= 0.5 * len(wanted) for d in done):
            continue
        done.append(wanted)
        if not _is_told(leaving, name, wanted):
            yield Found(
                "pending_result",
                f"“{name}”出院时未回报，出院当日病程没有交代。",
                [*chart.row(table, number), leaving[-1].span(0, min(len(leaving[-1].text), 60))],
            )


def _is_told(pages: list[Page], name: str, wanted: set[str]) -> bool:
    for page in pages:
        for segment in page.segments:
            shared = wanted & bigrams(segment.text)
            near = len(shared) >= max(1, 0.5 * len(wanted)) or name in segment.text
            if near and _WAIT.search(segment.text):
                return True
            if "病理" in name and "病理" in segment.text and _WAIT.search(segment.text):
                return True
    return False
