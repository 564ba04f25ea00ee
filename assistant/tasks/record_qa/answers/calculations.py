"""A calculator over the record, and what labels say of a drug for this patient."""

from __future__ import annotations

import re

from assistant.calculators.catalogue import Calculator, calculators
from assistant.calculators.compute import InputWrong, Result, compute
from assistant.record.evidence import CitedPassage
from assistant.tasks.record_qa.answers import mentions as told
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import Row
from assistant.tasks.record_qa.drugs import classes, courses
from assistant.tasks.record_qa.inputs import Taken, inputs
from assistant.tasks.record_qa.mentions import STATUS_ZH, mentions
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.tests import table
from knowledge.text.folding import fold

ADULT = 18
CHILDREN = {"ckd_epi_2021": "schwartz"}
"""The formula for a child in place of that for adults."""


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """The calculator that the question names."""
    run(chosen(asked.calculator, reading), reading, asked, out)


def chosen(key: str, reading: RecordReading) -> Calculator:
    """The calculator, a child's where the patient is one."""
    if reading.age is not None and reading.age < ADULT and key in CHILDREN:
        key = CHILDREN[key]
    return calculators()[key]


def run(calculator: Calculator, reading: RecordReading, asked: Asked, out: Saying) -> Result | None:
    """Compute and say it with its inputs and source; None where it could not be."""
    taken = inputs(calculator, reading, asked.day)
    for warning in taken.warnings:
        out.warn(warning)
    recorded = _recorded(calculator, reading, out)
    try:
        result = compute(calculator, taken.given)
    except InputWrong as error:
        out.note(str(error), None if recorded else "missing")
        return None
    if result.missing:
        out.note(
            f"{calculator.title.zh}：缺 {'、'.join(result.missing)}（病历未记载或须医师判断）。",
            None if result.value is not None or recorded else "missing",
        )
    if result.value is None:
        if taken.places:
            used = "；".join(taken.words.values())
            out.say(f"已有：{used}", *taken.places)
        return None
    _said(calculator, result, taken, out)
    return result


def _said(calculator: Calculator, result: Result, taken: Taken, out: Saying) -> None:
    reading = f"，{result.reading}" if result.reading else ""
    used = "；".join(taken.words.values())
    source = CitedPassage(quote=calculator.source, source=calculator.key)
    text = f"{calculator.title.zh}：{result.text}{reading}。依据：{used}。公式：{calculator.source}"
    if taken.places:
        out.say(text, *taken.places, source)
    else:
        out.say(text, source, knowledge=True)
    for note in calculator.notes:
        out.warn(f"{calculator.title.zh}：{note}")
    if result.items:
        lines = [
            Row(cells=[i.title, "未记载" if i.points is None else f"{i.points:g}"])
            for i in result.items
        ]
        out.table(f"{calculator.title.zh}各项", ["项目", "得分"], lines)


def _recorded(calculator: Calculator, reading: RecordReading, out: Saying) -> bool:
    """What a note has already of it, in its own words."""
    before = len(out.statements)
    words = [fold(w) for w in calculator.wordings if len(w) >= 3]
    for note in reading.notes:
        for word in words:
            at = note.document.folded.find(word)
            tail = note.text[at + len(word) : at + len(word) + 24] if at >= 0 else ""
            if at >= 0 and re.match(r"[^，。；]{0,12}\d", tail):
                out.quote(note, note.sentence(at), "病历已记载")
                break
        if len(out.statements) - before >= 2:
            break
    return len(out.statements) > before


def caution(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What of the record speaks for care with a drug; whether to give it the doctor decides."""
    names = [*asked.drugs, *asked.allergens]
    for one in classes():
        if one.name in asked.classes:
            names.append(one.example)
            out.note(f"以{one.name}的{one.example}为例。")
    told.allergy(reading, Asked(text=asked.text, drugs=tuple(names)), out)
    for name in names:
        _limits(name, reading, asked, out)
        _conditions(name, reading, out)
        _beside(name, reading, out)
    out.note("以上为病历中与用药有关的记载，能否使用由医师结合说明书决定。")
    out.outcome = "answered"


def _limits(name: str, reading: RecordReading, asked: Asked, out: Saying) -> None:
    results: dict[str, Result | None] = {}
    told_of: set[str] = set()
    for drug, key, limit, text, source in table("cautions.tsv"):
        if not re.search(drug, name):
            continue
        calculator = chosen(key, reading)
        if key not in results:
            results[key] = run(calculator, reading, asked, out)
        result = results[key]
        passage = CitedPassage(quote=text, source=source)
        if result is None or result.value is None:
            out.say(f"{text}（{source}）；本例未能算出，见上。", passage, knowledge=True)
        elif result.value < float(limit) and key not in told_of:
            out.say(f"注意：{text}（{source}），本例 {result.text}。", passage, knowledge=True)
            told_of.add(key)
        elif key not in told_of:
            out.say(
                f"{text}（{source}）；本例 {result.text}，未到此界限。", passage, knowledge=True
            )


def _beside(name: str, reading: RecordReading, out: Saying) -> None:
    """The drugs of the stay and of the way home that speak for care with another."""
    for drug, other, why, source in table("caution_drugs.tsv"):
        if not re.search(drug, name):
            continue
        told_of: set[str] = set()
        for course in courses(reading):
            if course.drug in told_of or course.drug == name or not re.search(other, course.drug):
                continue
            told_of.add(course.drug)
            where = "出院带药" if course.row.discharge else "住院用药"
            passage = CitedPassage(quote=why, source=source)
            out.say(
                f"注意：{where}有{course.row.name}，{why}（{source}）。", course.evidence, passage
            )


def _conditions(name: str, reading: RecordReading, out: Saying) -> None:
    for drug, terms, why, source in table("caution_terms.tsv"):
        if not re.search(drug, name):
            continue
        passage = CitedPassage(quote=why, source=source)
        out.say(f"说明书：{why}（{source}）", passage, knowledge=True)
        for term in terms.split("|"):
            for mention in mentions(reading, term)[:1]:
                if mention.status in ("present", "past", "uncertain"):
                    label = f"{STATUS_ZH[mention.status]}“{mention.words}”"
                    if len(out.statements) < MOST_QUOTES * 2:
                        out.quote(mention.note, mention.place, label)
