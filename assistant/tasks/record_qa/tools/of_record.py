"""The tools that read the record: the routes of 问病历 and the calculators, called by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from assistant.calculators.catalogue import calculators
from assistant.tasks.record_qa.answers import calculations, drugs, facts, mentions, results
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.drugs import classes as drug_classes
from assistant.tasks.record_qa.nearest import nearest
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.slots import read_slots
from assistant.tasks.record_qa.tools.tool import (
    Arguments,
    Desk,
    NoArguments,
    Tool,
    Work,
    described,
)

Words = Annotated[str, Field(max_length=100)]
Day = Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="如 2025-03-05，可空")]
Told = Callable[[RecordReading, Asked, Saying], None]
Which = Literal[
    "trend", "latest", "first", "highest", "lowest", "previous", "change", "normal", "on_day"
]


def _known(key: str) -> str:
    if key not in calculators():
        raise ValueError(f"没有这个计算器，可用：{'、'.join(calculators())}")
    return key


CalculatorKey = Annotated[
    str, AfterValidator(_known), Field(json_schema_extra={"enum": list(calculators())})
]


class SearchedWords(Arguments):
    """Words to look for in all notes."""

    words: Words = Field(description="要查找的词，如 胸腔积液")


class Results(Arguments):
    """A test, and which of its results."""

    test: Words = Field(description="检验或体征的名称，如 血钾、CRP、体温")
    which: Which = Field(default="trend", description="取哪一种结果")
    day: Day = ""


class DrugName(Arguments):
    """A drug or a class of drugs; none is all of them."""

    name: Words = Field(default="", description="药名或类别，如 头孢曲松、抗生素；空为全部")
    day: Day = ""


class Substance(Arguments):
    """What somebody may be allergic to; none is all."""

    name: Words = Field(default="", description="药物或食物，如 青霉素；空为全部过敏史")


class OneDrug(Arguments):
    """One drug."""

    name: Annotated[str, Field(min_length=1, max_length=100)]


class Computed(Arguments):
    """A calculator over what the record holds."""

    calculator: CalculatorKey
    day: Day = ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _told(title: str, tell: Told) -> Callable[[RecordReading, Asked], RecordAnswer]:
    def run(reading: RecordReading, asked: Asked) -> RecordAnswer:
        out = Saying(asked)
        tell(reading, asked, out)
        return out.answer(title)

    return run


def search(reading: RecordReading, given: SearchedWords) -> RecordAnswer:
    """Where the notes speak of some words: how it is meant there, then the nearest sentences."""
    asked = replace(read_slots(given.words, reading), kind="mention")
    out = Saying(asked)
    if asked.terms:
        mentions.answer(reading, asked, out)
    for note, place in nearest(reading, given.words, MOST_QUOTES - len(out.statements)):
        out.quote(note, place)
    if out.is_empty:
        out.note(f"病历中没有与“{given.words}”相近的原文。", "not_recorded")
    elif out.statements:
        out.outcome = "answered"
    return out.answer("病历检索")


def result(reading: RecordReading, given: Results) -> RecordAnswer:
    """The results of a test."""
    slots = read_slots(given.test, reading)
    asked = replace(slots, kind=given.which, day=_day(given.day))
    out = Saying(asked)
    if not asked.tests:
        out.note(f"没有认出检验项目“{given.test}”。", "not_recorded")
    elif given.which == "on_day" and asked.day is None:
        out.note("要某日的结果，须给出 day。", "missing")
    else:
        results.answer(reading, asked, out)
    return out.answer("检验结果")


def drug(reading: RecordReading, given: DrugName) -> RecordAnswer:
    """Courses of drugs: from when to when, and how given."""
    slots = read_slots(given.name, reading) if given.name else Asked(text="")
    groups = slots.classes or tuple(c.name for c in drug_classes() if c.name == given.name)
    own = slots.drugs if slots.drugs or groups or not given.name else (given.name,)
    asked = replace(slots, kind="drugs", drugs=own, classes=groups, day=_day(given.day))
    return _told("用药", drugs.answer)(reading, asked)


def allergy(reading: RecordReading, given: Substance) -> RecordAnswer:
    """What the notes say of allergies."""
    asked = replace(read_slots(given.name or "过敏", reading), kind="allergy")
    return _told("过敏史", mentions.allergy)(reading, asked)


def caution(reading: RecordReading, given: OneDrug) -> RecordAnswer:
    """What of the record speaks for care with a drug."""
    slots = read_slots(given.name, reading)
    own = slots.drugs or (() if slots.classes else (given.name,))
    asked = replace(slots, kind="caution", drugs=own)
    return _told("用药注意", calculations.caution)(reading, asked)


def computed(reading: RecordReading, given: Computed) -> RecordAnswer:
    """A calculator over the record."""
    key = given.calculator
    asked = Asked(text=key, kind="calculation", calculator=key, day=_day(given.day))
    return _told("计算", calculations.answer)(reading, asked)


def _plain(title: str, text: str, tell: Told) -> Callable[[RecordReading, Arguments], RecordAnswer]:
    return lambda reading, _: _told(title, tell)(reading, Asked(text=text))


def in_thread(work: Callable[[RecordReading, Arguments], RecordAnswer]) -> Work:
    """The same beside the event loop."""

    async def run(desk: Desk, given: Arguments) -> RecordAnswer:
        return await asyncio.to_thread(work, desk.reading, given)

    return run


_WORKS: Mapping[str, tuple[type[Arguments], Callable[..., RecordAnswer]]] = {
    "record_search": (SearchedWords, search),
    "results": (Results, result),
    "abnormal_results": (NoArguments, _plain("异常结果", "异常", results.abnormal)),
    "drugs": (DrugName, drug),
    "discharge_drugs": (NoArguments, _plain("出院带药", "出院带药", drugs.discharge)),
    "allergies": (Substance, allergy),
    "drug_caution": (OneDrug, caution),
    "diagnoses": (NoArguments, _plain("诊断", "诊断", facts.diagnosis)),
    "operations": (NoArguments, _plain("手术", "手术", facts.operation)),
    "stay_dates": (NoArguments, _plain("时间", "时间", facts.dates)),
    "pending_results": (NoArguments, _plain("未回结果", "未回", facts.pending)),
    "follow_up": (NoArguments, _plain("出院后安排", "复诊", facts.follow_up)),
    "calculator": (Computed, computed),
}


def record_tools() -> Sequence[Tool]:
    """All tools that only read the record."""
    return [
        Tool(name, *described(name), arguments, in_thread(work))
        for name, (arguments, work) in _WORKS.items()
    ]
