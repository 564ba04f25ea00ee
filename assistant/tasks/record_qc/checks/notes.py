"""Notes that a stay must have, and the parts that they must have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.record.evidence import TextSpan
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.rules import NoteRule, Rules

_DIED = re.compile(r"宣[布告](?:临床)?死亡|临床死亡|抢救无效.{0,6}死亡|患者死亡|于.{0,16}死亡")
_OBVIOUS = re.compile(r"诊断明确.{0,12}(?:无需|不需|无须)|无需(?:特殊)?鉴别|无须鉴别")
_DIFFERENTIAL = re.compile(r"鉴别|相区别|需与|应与|排除.{0,12}(?:病|炎|症|癌)")
_ALLERGY = re.compile(r"过敏|皮试")
_STAYED_HOURS = 48


def check_notes(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``missing_note``."""
    if not any(page.kind != "other" for page in chart.pages):
        # A free text is not a set of notes.
        return
    for rule in rules.notes:
        due = _due(chart, rule)
        if due is not None and not any(_counts(page, rule) for page in chart.pages):
            yield Found("missing_note", f"未见{rule.name}（{due[0]}）。", due[1])


def _due(chart: Chart, rule: NoteRule) -> tuple[str, list[TextSpan]] | None:
    """Why the note is due, and what shows it."""
    encounter = chart.encounter
    if rule.when == "always":
        return "住院患者必需", []
    if rule.when == "stayed":
        return ("住院超过 48 小时", []) if (chart.hours or 0) > _STAYED_HOURS else None
    if rule.when == "discharged":
        return ("患者已出院", []) if chart.left and not _death(chart) else None
    if rule.when == "operated":
        return ("已行手术或操作", chart.row("operations", 0)) if encounter.operations else None
    place = _death(chart)
    return ("病程记录了死亡", [place[0].span(*place[1])]) if place else None


def _death(chart: Chart) -> tuple[Page, tuple[int, int]] | None:
    for page in chart.of_kind("progress", "nursing", "discharge_day", "other"):
        for hit in page.find(_DIED):
            clause = page.clause_at(hit.start())
            if clause is None or not {"family", "thought"} & clause.stances:
                return page, hit.span()
    return None


def _counts(page: Page, rule: NoteRule) -> bool:
    title = page.note.title
    return page.kind in rule.kinds or (bool(title) and re.search(rule.titles, title) is not None)


def check_parts(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``missing_part``, ``missing_differential`` and ``missing_allergy``."""
    for part in rules.parts:
        for page in chart.of_kind(part.note):
            if not re.search(part.words, page.text):
                yield Found(
                    "missing_part", f"{page.name}缺少“{part.name}”。", [page.span(0, _head(page))]
                )
                continue
            empty = _empty(page, part.name)
            if empty:
                yield Found(
                    "missing_part", f"{page.name}的“{part.name}”没有内容。", [page.span(*empty)]
                )
    opening = chart.of_kind("admission", "first_progress")
    for page in chart.of_kind("first_progress"):
        if not _DIFFERENTIAL.search(page.text) and not _OBVIOUS.search(page.text):
            yield Found(
                "missing_differential", f"{page.name}没有鉴别诊断。", [page.span(0, _head(page))]
            )
    if chart.of_kind("admission") and not any(_ALLERGY.search(p.text) for p in opening):
        page = chart.of_kind("admission")[0]
        past = page.section("既往史", "过去史") or [(0, _head(page))]
        yield Found("missing_allergy", f"{page.name}没有过敏史。", [page.span(*past[0])])


def _empty(page: Page, name: str) -> tuple[int, int] | None:
    """A heading with nothing behind it."""
    for start, end in page.section(name):
        body = re.sub(rf"^\W*{name}\W*", "", page.text[start:end])
        if not re.search(r"\w", body):
            return start, max(start + 1, min(end, start + len(name) + 1))
    return None


def _head(page: Page) -> int:
    return max(1, min(len(page.text), page.text.find("\n") if "\n" in page.text else 30))
