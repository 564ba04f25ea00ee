"""The facts that a discharge record of a generated encounter must have, and its traps."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.grounding.segments import segment_notes
from assistant.record.encounter import Encounter
from assistant.tasks.discharge.draft import SectionName
from eval.clinical.checker.elsewhere import RecordSentences
from eval.clinical.discharge.draw import Draw
from eval.clinical.discharge.known import Fact, Trap, words

_EARLIER = r"既往|曾|外院|年前|(?:19|20)\d\d年|病史|出生后"
_RELATIVE = r"父|母|姐|哥|家族"
_DENIED = r"无|否认|未|不伴|没有"
_FORM = re.compile(
    r"^(?:注射用|吸入用|盐酸|醋酸|苯磺酸|琥珀酸)+|(?:分散|缓释|控释|肠溶)?(?:片|胶囊|注射液|颗粒)$"
)


def facts(drawn: Draw, encounter: Encounter) -> Iterator[Fact]:
    """What the rows say first, then what the story's authors ask for."""
    for row in encounter.diagnoses:
        if row.kind == "discharge":
            yield Fact(section="discharge_diagnosis", kind="诊断", words=((row.name,),))
    admission: SectionName = "admission_condition"
    yield Fact(section=admission, kind="过敏史", words=words(drawn.allergy.words))
    yield Fact(section=admission, kind="入院体温", words=((drawn.temperature,),))
    course: SectionName = "hospital_course"
    if drawn.story.operation:
        named = drawn.fill(drawn.story.operation[3])
        yield Fact(section=course, kind="手术操作", words=words(named))
    for drug in drawn.story.drugs:
        last = str(drug[-1])
        if last.startswith("key "):
            yield Fact(section=course, kind="主要用药", words=((last.removeprefix("key "),),))
    left: SectionName = "discharge_condition"
    yield Fact(section=left, kind="出院体温", words=((drawn.leaving_temperature,),))
    yield Fact(section=left, kind="出院血压", words=((drawn.leaving_pressure,),))
    orders: SectionName = "discharge_orders"
    for medication in encounter.medications:
        if medication.discharge:
            said = ((medication.name,), (medication.dose,), (medication.frequency,))
            yield Fact(section=orders, kind="出院带药", words=said)
    yield Fact(section=orders, kind="随访", words=words(drawn.story.follow_up))
    if drawn.story.pending:
        yield Fact(section=orders, kind="待回报结果", words=((drawn.story.pending,),))
    for section, rows in drawn.story.facts.items():
        for row_of_facts in rows:
            for kind, text in row_of_facts.items():
                yield Fact(section=section, kind=kind, words=words(drawn.fill(text)))


def traps(drawn: Draw, encounter: Encounter) -> Iterator[Trap]:
    """An earlier stay, a relative's illness, what is denied, and a drug that was stopped."""
    story = drawn.story
    yield Trap(
        kind="earlier_stay",
        section="hospital_course",
        quote=drawn.fill(story.earlier),
        words=tuple(drawn.fill(story.earlier_words).split("|")),
        unless=_EARLIER,
        statements=tuple(drawn.fill(text) for text in story.earlier_told),
    )
    narrative: tuple[SectionName, ...] = ("admission_condition", "hospital_course")
    for section in narrative:
        yield Trap(
            kind="family",
            section=section,
            quote=drawn.family.text,
            words=tuple(drawn.family.words.split("|")),
            unless=_RELATIVE,
            statements=(drawn.family.statement,) if section == narrative[0] else (),
        )
    told = RecordSentences(segment_notes(encounter.all_notes()))
    for phrase in story.denied:
        for thing in re.sub(r"^.*?无", "", phrase).split("、"):
            if not told.says(thing, denied=False):
                yield Trap(
                    kind="denied",
                    section="admission_condition",
                    quote=phrase,
                    words=(thing,),
                    unless=_DENIED,
                )
    if story.stopped:
        name = _FORM.sub("", str(story.stopped[0]))
        yield Trap(
            kind="stopped_drug",
            section="discharge_orders",
            quote=drawn.fill(str(story.stopped[7])),
            words=(name,),
            unless=r"停",
        )
