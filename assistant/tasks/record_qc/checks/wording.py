"""Signatures, what a template left behind, and abbreviations that are not allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.tasks.record_qc.chart import Chart
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import Rules, patterns

_SIGNED = re.compile(
    r"(?:医师|医生|护士|签名|签字|记录者|书写者)[:：]\s*[\u4e00-\u9fff]{2,4}(?:\s*/\s*[\u4e00-\u9fff]{2,4})?\s*$"
)
_UNSIGNED = re.compile(
    r"(?:医师签名|医生签名|签名|签字|记录(?:医师|医生|者)|书写(?:医师|医生|者))[:：]\s*(?=$|\n|年|\d{4})"
)


_REPORT = re.compile(r"报告|检验|化验")
"""Titles of what a laboratory or an examination sends, which no doctor of the ward signs."""


def check_signatures(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``missing_signature``: a note without an author, where others of the record have one."""
    signs = any(page.note.author.strip() for page in chart.pages)
    for page in chart.pages:
        open_place = next(page.find(_UNSIGNED), None)
        if open_place is not None:
            yield Found(
                "missing_signature", f"{page.name}的签名处空白。", [page.span(*open_place.span())]
            )
        elif (
            signs
            and not page.note.author.strip()
            and not (_SIGNED.search(page.text) or _REPORT.search(page.note.title))
        ):
            yield Found(
                "missing_signature",
                f"{page.name}没有书写者签名。",
                [page.span(max(0, len(page.text) - 20), len(page.text))],
            )


def check_templates(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``template_remnant``."""
    for page in chart.pages:
        taken: list[tuple[int, int]] = []
        for row in patterns("templates"):
            for hit in page.find(row.pattern):
                if any(a < hit.end() and hit.start() < b for a, b in taken):
                    continue
                taken.append(hit.span())
                yield Found(
                    "template_remnant",
                    f"{page.name}有模板占位内容“{hit[0][:20]}”。",
                    [page.span(*hit.span())],
                )


def check_abbreviations(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``forbidden_abbreviation``."""
    for row in patterns("abbreviations"):
        _, full, where, *_ = row.cells
        if where == "any":
            for page in chart.pages:
                hit = next(page.find(row.pattern), None)
                if hit is not None:
                    yield Found(
                        "forbidden_abbreviation",
                        f"{page.name}使用“{hit[0]}”，应写：{full}。",
                        [page.span(*hit.span())],
                    )
        for number, diagnosis in enumerate(chart.encounter.diagnoses):
            if row.pattern.search(diagnosis.name):
                yield Found(
                    "forbidden_abbreviation",
                    f"诊断“{diagnosis.name}”使用缩写，应写：{full}。",
                    chart.row("diagnoses", number),
                )
