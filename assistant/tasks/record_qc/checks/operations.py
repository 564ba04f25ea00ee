"""Consent to operations, and what consent, plan and rows say of the operation; transfusions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.grounding.sides import sides
from assistant.grounding.wording import bigrams
from assistant.record.operation import Operation
from assistant.tasks.record_qc.chart import Chart, Page
from assistant.tasks.record_qc.found import Found
from assistant.tasks.record_qc.results import concept_of, results
from assistant.tasks.record_qc.rules import Rules
from knowledge.text.finding import Experiencer, Polarity, Temporality
from knowledge.text.phrases import phrases_of

_PHRASES = phrases_of("assistant.tasks.record_qc")
_CONSENT_TITLE = _PHRASES["consent_title"]
_BEFORE_TITLE = _PHRASES["before_title"]
_CONSENT = _PHRASES["consent"]
_UNSIGNED = _PHRASES["unsigned"]
_NAMED = _PHRASES["named"]
_GENERIC = _PHRASES["generic"]
_OPERATION_NAME = _PHRASES["operation_name"]
_EARLIER = _PHRASES["earlier"]


def check_consent(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``consent_missing`` and ``operation_consent``."""
    yield from _lacking_consent(chart)
    yield from _other_operation(chart)


def _lacking_consent(chart: Chart) -> Iterator[Found]:
    """A consent that is said to be unsigned, or that no note before the operation tells of."""
    for page in chart.pages:
        hit = next(page.find(_UNSIGNED), None)
        if hit is not None and chart.is_operated and "病理" not in hit[0]:
            yield Found(
                "consent_missing",
                f"{page.name}：“{hit[0]}”，而手术已进行。",
                [page.span(*hit.span())],
            )
            return
    operations = chart.encounter.operations
    prepared = [
        p for p in chart.pages if _BEFORE_TITLE.search(p.note.title) or _BEFORE_TITLE.match(p.text)
    ]
    if not operations or not prepared:
        return
    days = [o.at.date() for o in operations if o.at]
    before = [p for p in chart.pages if p.day is None or not days or p.day <= max(days)]
    if any(_CONSENT.search(p.text) or _CONSENT_TITLE.search(p.note.title) for p in before):
        return
    yield Found(
        "consent_missing",
        f"{prepared[0].name}及全部文书没有手术知情同意的记录。",
        [prepared[0].span(0, min(len(prepared[0].text), 60)), *chart.row("operations", 0)],
    )


def _other_operation(chart: Chart) -> Iterator[Found]:
    """Where a note names the one operation of the stay as another, or on the other side."""
    if len(chart.encounter.operations) != 1:
        return
    row = chart.encounter.operations[0]
    for page, hit in _named_operations(chart, row):
        wrong = _differs(row, hit["name"])
        if wrong:
            place = [page.span(hit.start("name"), hit.end("name")), *chart.row("operations", 0)]
            yield Found(
                "operation_consent",
                f"{page.name}写“{hit['name']}”，登记手术为“{row.name}”，{wrong}不符。",
                place,
            )
            return


def _named_operations(chart: Chart, row: Operation) -> Iterator[tuple[Page, re.Match[str]]]:
    """Where the notes before the operation, and its own, name one that is to be or was done."""
    own = [p for p in chart.of_kind("operation") if row.note_id in (None, p.note.id)]
    for page in chart.pages:
        about = _BEFORE_TITLE.search(page.note.title)
        if page not in own and not about:
            continue
        for hit in page.find(_NAMED if about else _OPERATION_NAME):
            if _GENERIC.search(hit["name"]) or not bigrams(hit["name"]):
                continue
            clause = page.clause_at(hit.start("name"))
            if clause is not None and (
                {"family", "undone"} & clause.stances or _EARLIER.search(clause.text)
            ):
                continue
            yield page, hit


def _differs(row: Operation, name: str) -> str:
    """In what a name of an operation differs from the row: side, name, or nothing."""
    mine = {s.side for s in sides(name)} & {"左", "右"}
    theirs = {s.side for s in sides(row.name)} & {"左", "右"}
    if row.laterality in ("left", "right"):
        theirs |= {"左" if row.laterality == "left" else "右"}
    if mine and theirs and not mine & theirs:
        return "侧别"
    return "名称" if _shared(row.name, name) < _ALIKE else ""


_COMMON = _PHRASES["common"]
_ALIKE = 0.34
"""What two names of one operation share at least."""


def _shared(one: str, other: str) -> float:
    """How much two names of operations share: of what is operated on where both name it, else of
    all their words."""
    first, second = (bigrams(_COMMON.sub(" ", name)) for name in (one, other))
    if not first or not second:
        first, second = bigrams(one), bigrams(other)
    return len(first & second) / max(1, min(len(first), len(second)))


_BLOOD = _PHRASES["blood"]
_AGREED = _PHRASES["agreed"]
_REACTION = _PHRASES["reaction"]
_WHY = _PHRASES["blood_reason"]
_NOT_GIVEN = _PHRASES["not_given"]


def check_transfusion(chart: Chart, rules: Rules) -> Iterator[Found]:
    """``transfusion_items``: consent, reason and reaction of a transfusion."""
    place = _transfused(chart)
    if place is None:
        return
    page, start, end = place
    lacks = []
    near = [
        p
        for p in chart.pages
        if p.day is None or page.day is None or 0 <= (p.day - page.day).days <= 2 or p is page
    ]
    if not any(_AGREED.search(p.text) or "输血" in p.note.title for p in chart.pages):
        lacks.append("输血知情同意")
    if not any(_REACTION.search(p.text) for p in near if "输" in p.text):
        lacks.append("输血过程及有无输血反应")
    counted = {concept_of("血红蛋白"), concept_of("血小板")}
    if not any(r.concept in counted for r in results(chart)) and not any(
        _WHY.search(p.text) for p in near
    ):
        lacks.append("输血指征")
    if lacks:
        yield Found(
            "transfusion_items",
            f"{page.name}记录了输血，没有{'、'.join(lacks)}。",
            [page.span(start, end)],
        )


def _transfused(chart: Chart) -> tuple[Page, int, int] | None:
    for page in chart.of_kind("progress", "operation", "nursing", "discharge_day"):
        for hit in page.find(_BLOOD):
            clause = page.clause_at(hit.start())
            if (
                clause is None
                or {"planned", "undone", "refused", "family", "thought", "needed"} & clause.stances
            ):
                continue
            if any(
                e.start < hit.end() and hit.start() < e.end
                and (e.polarity is Polarity.ABSENT or e.subject is not Experiencer.PATIENT
                     or e.temporality is Temporality.HYPOTHETICAL)
                and e.type.value == "procedure"
                for e in page.entities
            ):  # fmt: skip
                continue
            if _NOT_GIVEN.search(page.text[max(0, hit.start() - 3) : hit.end()]):
                continue
            return page, hit.start(), hit.end()
    return None
