"""Notes of different days that are one text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import results
from assistant.tasks.record_qc.rules import Rules

_SHORTEST = 36
_SHORTEST_SAME = 28
"""Characters of a note that is word for word an earlier one; shorter ones say nothing of a day."""

_VITALS = ("体温", "脉搏", "心率", "呼吸频率", "血压")


def check_copies(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``copy_forward``: nearly one text on two days, or the vital signs of another day."""
    pages = [p for p in chart.of_kind("progress", "discharge_day") if len(p.text) >= _SHORTEST_SAME]
    shingles = {p.note.id: _shingles(p.text) for p in pages}
    reported: set[str] = set()
    for n, page in enumerate(pages):
        for earlier in pages[:n]:
            if page.day is None or earlier.day is None or page.day == earlier.day:
                continue
            one, two = shingles[page.note.id], shingles[earlier.note.id]
            alike = len(one & two) / max(1, min(len(one), len(two)))
            short = min(len(page.text), len(earlier.text)) < _SHORTEST
            least = 1.0 if short else rules.copy_similarity
            if alike < least or page.note.id in reported:
                continue
            reported.add(page.note.id)
            moved = _moved(chart, earlier, page)
            yield Found(
                "copy_forward",
                f"{page.name}与{earlier.name}内容几乎相同（{alike:.0%}）"
                + (f"，而期间{moved}已变化。" if moved else "。"),
                [page.span(0, len(page.text)), earlier.span(0, len(earlier.text))],
            )
    yield from _vitals(chart, reported)


def _shingles(text: str) -> set[str]:
    kept = re.sub(r"[\s，,。；;、:：]", "", text)
    return {kept[i : i + 4] for i in range(len(kept) - 3)}


def _moved(chart: Chart, earlier: Page, page: Page) -> str:
    """A test whose value changed between two notes."""
    seen: dict[str, list[float]] = {}
    for result in results(chart):
        if result.at is None or earlier.day is None or page.day is None:
            continue
        if earlier.day - timedelta(days=1) <= result.at.date() <= page.day:
            seen.setdefault(result.row.name, []).append(float(result.quantity.low))
    return next(
        (name for name, v in seen.items() if len(v) > 1 and abs(v[-1] - v[0]) > abs(v[0]) * 0.05),
        "",
    )


def _vitals(chart: Chart, reported: set[str]) -> Iterator[Found]:
    read = []
    for page in chart.of_kind("admission", "progress", "discharge_day"):
        values = {
            m.concept: (m.quantity.values, m.quantity.start, m.quantity.end)
            for m in page.measured
            if m.concept in _VITALS and not m.moment
        }
        if len(values) >= 3 and page.day is not None:
            read.append((page, values))
    for n, (page, values) in enumerate(read):
        for earlier, others in read[:n]:
            common = values.keys() & others.keys()
            if page.day == earlier.day or page.note.id in reported or len(common) < 4:
                continue
            if all(values[name][0] == others[name][0] for name in common):
                reported.add(page.note.id)
                start = min(v[1] for v in values.values())
                end = max(v[2] for v in values.values())
                first = min(v[1] for v in others.values())
                last = max(v[2] for v in others.values())
                yield Found(
                    "copy_forward",
                    f"{page.name}的生命体征与{earlier.name}完全相同。",
                    [page.span(start, end), earlier.span(first, last)],
                )
