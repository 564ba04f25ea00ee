"""Results that need a word: critical values, what is far outside its range, what is diagnosed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from assistant.record.evidence import TextSpan
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import Result, concept_of, in_unit, results, shown, values_of
from assistant.tasks.record_qc.rules import Rules, table
from knowledge.text.quantity import quantities
from knowledge.text.term_table import shipped_terms

_Told = tuple[float, list[TextSpan]]
"""A value and the places that tell it."""
_SOON = timedelta(hours=30)
_GENERAL = re.compile(r"危急值")


def check_critical(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``critical_unaddressed`` and ``unexplained_abnormal``."""
    flagged: set[str] = set()
    for result in results(chart):
        row = _critical_row(result)
        if row is None or result.at is None:
            continue
        pages = _until(chart, result, _SOON)
        if not pages and chart.left is None:
            continue
        words = re.compile(row[4]) if len(row) > 4 and row[4] else None
        if not any(_tells(p, result, words) for p in pages):
            flagged.add(result.concept)
            yield Found(
                "critical_unaddressed",
                f"{result.row.name} {shown(result.row)}（{result.at:%m-%d %H:%M}）"
                "达危急值，此后一天内的病程没有记录和处理。",
                list(result.evidence),
            )
    yield from _abnormal(chart, rules, flagged)


def _critical_row(result: Result) -> tuple[str, ...] | None:
    for row in table("criticals"):
        names = row[0].split("|")
        if result.concept not in {concept_of(n) for n in names} | set(names):
            continue
        value = in_unit(result.quantity, row[1])
        low, high = row[2], row[3] if len(row) > 3 else ""
        if value is not None and ((low and value <= float(low)) or (high and value >= float(high))):
            return row
    return None


def _until(chart: Chart, result: Result, within: timedelta) -> list[Page]:
    """The notes that may tell of a result: from its hour on, and the admission's of that day."""
    at = result.at
    found = []
    for page in chart.pages:
        written = page.note.written_at
        if written is None or at is None:
            found.append(page)
            continue
        when = written.replace(tzinfo=None)
        if at - timedelta(hours=1) <= when <= at + within or when.date() == at.date():
            found.append(page)
    return found


def _tells(page: Page, result: Result, words: re.Pattern[str] | None) -> bool:
    if (words is not None and words.search(page.text)) or _GENERAL.search(page.text):
        return True
    if any(m.concept == result.concept for m in page.measured):
        return True
    names = {result.row.name, result.concept, *_aliases(result.concept)}
    return any(name in page.text for name in names if len(name) > 1)


def _aliases(concept: str) -> set[str]:
    """What else the list of tests calls a test."""
    found = {t.wording for t in shipped_terms() if t.concept == concept}
    bare = concept.removeprefix("血").removesuffix("计数").removesuffix("百分比")
    return found | ({bare} if len(bare) > 1 else set())


def _abnormal(chart: Chart, rules: Rules, flagged: set[str]) -> Iterator[Found]:
    worst: dict[str, tuple[float, Result]] = {}
    for result in results(chart):
        far = _how_far(result, rules)
        if far and result.concept not in flagged and far > worst.get(result.concept, (0.0,))[0]:
            worst[result.concept] = far, result
    for _, result in worst.values():
        if not any(_tells(page, result, None) for page in chart.pages):
            yield Found(
                "unexplained_abnormal",
                f"{result.row.name} {shown(result.row)}"
                f"（参考 {result.row.reference}）明显异常，病程中没有提及。",
                list(result.evidence),
            )


def _number(written: str) -> float | None:
    """The number of a row, in the unit that its range is in."""
    found = quantities(written)
    return float(found[0].low) if found and len(found[0].values) == 1 else None


def _how_far(result: Result, rules: Rules) -> float:
    """How many times a value passes its limit; 0 where it does not pass it by far."""
    limits = quantities(result.row.reference)
    if not limits:
        return 0.0
    value = _number(result.row.value)
    if value is None or re.search(rules.abnormal_skip, result.row.name):
        return 0.0
    numbers = [float(v) for v in limits[0].values]
    upper = len(numbers) == 2 or limits[0].comparator in ("<", "<=")
    high, low = numbers[-1], numbers[0] if len(numbers) == 2 else 0.0
    if limits[0].comparator in (">", ">="):
        upper, low = False, numbers[0]
    if upper and high > 0 and value >= high * rules.abnormal_times.high:
        return value / high
    if low > 0 and value <= low * rules.abnormal_times.low:
        return low / max(value, 1e-6)
    return 0.0


def check_diagnosis_results(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``diagnosis_result``: what was measured does not fit the diagnosis."""
    sex = chart.encounter.patient.sex or ""
    done: set[str] = set()
    for number, diagnosis in enumerate(chart.encounter.diagnoses):
        if diagnosis.name in done:
            continue
        done.add(diagnosis.name)
        for row in table("diagnosis_results"):
            pattern, names, unit, sign, bound, *rest = (*row, "")
            if rest[0] and sex and rest[0] != sex:
                continue
            hit = re.search(pattern, diagnosis.name)
            if hit is None or "史" in diagnosis.name[hit.end() : hit.end() + 1]:
                continue
            values = _values(chart, names.split("|"), unit)
            limit = _own_limit(chart, names.split("|"), sign, float(bound))
            fits = [v for v, _ in values if (v < limit if sign == "<" else v > limit)]
            if values and not fits:
                worst = values[0][1]
                yield Found(
                    "diagnosis_result",
                    f"诊断“{diagnosis.name}”，但{names.split('|')[0]}结果均不支持"
                    f"（应{'低于' if sign == '<' else '高于'} {bound}{unit}）。",
                    [*chart.row("diagnoses", number), *worst],
                )
            break


def _own_limit(chart: Chart, names: list[str], sign: str, usual: float) -> float:
    """The limit that the laboratory gives beside its results (a child has another), else the
    usual one."""
    wanted = {concept_of(n) for n in names} | set(names)
    for result in results(chart):
        if result.concept not in wanted and result.row.name not in wanted:
            continue
        limits = quantities(result.row.reference)
        if limits and len(limits[0].values) == 2:
            return float(limits[0].low if sign == "<" else limits[0].high)
    return usual


def _values(chart: Chart, names: list[str], unit: str) -> list[_Told]:
    wanted = {concept_of(n) for n in names} | set(names)
    found: list[_Told] = []
    for result in results(chart):
        if result.concept in wanted or result.row.name in wanted:
            value = in_unit(result.quantity, unit)
            if value is not None:
                found.append((value, list(result.evidence)))
    if not found:
        return []
    for page in chart.pages:
        for one in values_of(page, wanted):
            value = in_unit(one.quantity, unit)
            if value is not None:
                found.append((value, [page.span(one.quantity.start, one.quantity.end)]))
    return found
