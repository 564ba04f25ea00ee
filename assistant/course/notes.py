"""Events that the notes of an encounter tell, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.course.asked import asked, led
from assistant.course.clauses import Told, clauses_of
from assistant.course.cues import Cue, cue_of
from assistant.course.event import CourseEvent, Value
from assistant.grounding.drug_course import with_course
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import measured
from assistant.grounding.segments import Segment
from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.record.fields import written_day
from assistant.record.note import Note
from knowledge.text.drugs import DrugNames, generic_name
from knowledge.text.regimen import Regimen
from knowledge.text.regimens import regimens
from knowledge.text.term_table import shipped_test

OPENING = frozenset({"admission", "first_progress"})
_NOT_DONE = frozenset({"refused", "planned", "thought", "undone", "family"})
_OPINION = frozenset({"planned", "undone"})
"""How a consultant's opinion is meant: it was given, whatever it plans."""

_BESIDE = frozenset({"examination", "pathology", "microbiology", "transfusion", "consultation"})
"""Kinds that a clause tells beside its values and drugs."""

_COMPLAINT = re.compile(
    r"主\s*诉\s*[：:]\s*(?P<text>[^。\n]{2,60})"
    r"|因[“\"]?(?P<for>[^。”\"\n]{2,40})[”\"]?(?:于[^。]{0,20})?(?:入院|收入|收住)"
)
_NAMED = re.compile(r"手术名称\s*[：:]\s*(?P<name>[^。；\n]{2,60})")
_DENIED = re.compile(r"未|无(?!力|名)|没有|否认")
_CHANGED = re.compile(r"停用|停药|停止|已停|改用|改为|换用|加量|减量|增至|减至|加至|调整")
_GIVEN = re.compile(r"予|给|用|服|注|滴|泵|吸入|加|起|静|口|抗|治疗|联合|术中")
_ADVICE = re.compile(
    r"嘱|建议|出院后|定期|不可|门诊|随诊|随访|复查|复诊|拆线|换药|避免|忌|禁|戒|饮食|注意|继续|规律|监测|每日测|暂缓"
)
_TODAY = re.compile(r"^.{0,8}出院$")
_CONDITION = re.compile(r"切口|伤口|创面|穿刺[处点]|(?<![A-Za-z])(?:T|BP)\s*[:：]?\s*\d|体温|血压")
_VITALS = frozenset(
    [
        "体温",
        "血压",
        "心率",
        "脉搏",
        "呼吸",
        "收缩压",
        "舒张压",
        "体重",
        "身高",
        "尿量",
        "血氧饱和度",
    ]
)


@dataclass
class NoteEvents:
    """Reads the notes of one encounter; ``segments`` are theirs."""

    encounter: Encounter
    notes: Sequence[Note]
    segments: Sequence[Segment]
    drug_names: DrugNames
    _shown: tuple[Segment, Cue] | None = None

    def events(self) -> Iterator[CourseEvent]:
        """Everything that the notes tell, in the order of the notes."""
        yield from self._reason()
        for note in self.notes:
            if note.kind == "structured":
                continue
            leaving = note.kind == "discharge_day"
            if note.kind == "operation":
                yield from self._operation(note)
            for told in clauses_of(note, self.segments):
                if note.kind == "operation" and _NAMED.match(told.text):
                    continue
                yield from self._leaving(told) if leaving else self._course(told)

    def _reason(self) -> Iterator[CourseEvent]:
        for note in self.notes:
            if note.kind not in (*OPENING, "other"):
                continue
            if found := _COMPLAINT.search(note.text):
                group = "text" if found["text"] else "for"
                start, end = found.span(group)
                came = self.encounter.admitted_at
                yield CourseEvent(
                    kind="admission_reason",
                    importance="must",
                    matter=f"患者因{found[group]}入院",
                    day=came.date() if came else None,
                    evidence=(_span(note, start, end),),
                    words=(found[group],),
                    loose=True,
                )
                return

    def _operation(self, note: Note) -> Iterator[CourseEvent]:
        if found := _NAMED.search(note.text):
            day = _day(note)
            yield CourseEvent(
                kind="operation",
                importance="must",
                when=written_day(day),
                matter=f"行{found['name']}",
                day=day,
                evidence=(_span(note, *found.span("name")),),
                words=tuple(p for p in re.split(r"[+＋]", found["name"]) if len(p) > 2),
            )

    def _course(self, told: Told) -> Iterator[CourseEvent]:
        cue = cue_of(told.text, told.note.kind)
        if cue is None and self._shown is not None and self._shown[0] is told.segment:
            # What an examination showed goes on: 心脏超声：左房内径42mm，左心耳未见血栓.
            cue = self._shown[1]
        if cue is not None and cue.kind in ("examination", "pathology") and "：" in told.text:
            self._shown = (told.segment, cue)
        stances = told.stances - (_OPINION if cue and cue.kind == "consultation" else set())
        if stances & _NOT_DONE:
            return
        found = False
        # What was measured before the admission is for the rows, where it was abnormal.
        # 输注单采血小板1个治疗量 is no count of platelets.
        none = told.note.kind in OPENING or (cue is not None and cue.kind == "transfusion")
        values = () if none else self._values(told)
        for event in (*values, *self._drugs(told)):
            found = True
            yield event
        if cue is None or (found and cue.kind not in _BESIDE):
            return
        match = cue.pattern.search(told.text) or re.search(".+", told.text)
        if match is None or (
            cue.kind in ("complication", "transfusion", "intensive_care")
            and _DENIED.search(told.text, 0, match.start() + 1)
        ):
            return
        yield self._cued(told, cue, match)

    def _cued(self, told: Told, cue: Cue, match: re.Match[str]) -> CourseEvent:
        whole = told.segment if cue.kind in ("complication", "consultation") else None
        text, evidence = told.text, told.evidence
        if whole is not None:
            text, evidence = whole.text, _span(told.note, whole.start, whole.end)
        words, any_words = asked(cue, match, told, text)
        return CourseEvent(
            kind=cue.kind,
            importance=cue.importance,
            when=_when(told),
            matter=text,
            day=_day(told.note),
            evidence=(evidence,),
            words=words,
            any_words=any_words,
            loose=cue.kind in ("examination", "pathology"),
        )

    def _values(self, told: Told) -> Iterator[CourseEvent]:
        for one in measured(told.text):
            if not _is_result(one, told.text) or one.concept in _VITALS:
                continue
            written = told.text[one.quantity.start : one.quantity.tail or one.quantity.end]
            name = told.text[one.name_start : one.name_end]
            yield CourseEvent(
                kind="result",
                importance="must",
                when=_when(told),
                matter=told.text,
                day=_day(told.note),
                evidence=(told.evidence,),
                values=(Value(test=name, written=written),),
            )

    def _drugs(self, told: Told) -> Iterator[CourseEvent]:
        found = with_course(told.text, regimens(told.text, self.drug_names.find(told.text)))
        for one in found:
            if one.drug.name.endswith(("药物", "药")):
                continue
            if one.planned or not _is_given(one, told.text) or "敏感" in told.text:
                continue
            changed = one.stopped or bool(_CHANGED.search(told.text))
            yield CourseEvent(
                kind="drug_change" if changed else "drug",
                importance="must",
                when=_when(told),
                matter=told.text,
                day=_day(told.note),
                evidence=(told.evidence,),
                drugs=(generic_name(one.drug.name),),
                stopped=one.stopped,
            )

    def _leaving(self, told: Told) -> Iterator[CourseEvent]:
        """A clause of the day of discharge: how the patient is, or what to do."""
        text = told.text
        if _TODAY.search(text):
            return
        results = list(self._values(told))
        if results:
            yield from results
            return
        advice = bool(_ADVICE.search(text)) or _after_advice(told)
        bare = re.sub(r"^(?:患[者儿])?(?:今日出院)?(?:嘱|建议)", "", text)
        if len(bare) < 2:
            return
        yield CourseEvent(
            kind="advice" if advice else "discharge_condition",
            importance="must" if advice or _is_condition(told) else "useful",
            matter=f"{'嘱' if advice and not text.startswith('嘱') else ''}{text}",
            day=_day(told.note),
            evidence=(told.evidence,),
            words=(led(bare),),
            loose=advice,
        )


def _is_condition(told: Told) -> bool:
    """Whether a clause is of what a discharge is judged by: the complaint, the wound, the vital
    signs that are asked for."""
    first = not told.note.text[: told.start].strip()
    return first or _CONDITION.search(told.text) is not None


def _after_advice(told: Told) -> bool:
    """Whether an earlier clause of the sentence has 嘱."""
    before = told.note.text[told.segment.start : told.start]
    return bool(re.search(r"嘱|建议|出院后", before))


def _is_result(one: Measured, text: str) -> bool:
    name = text[one.name_start : one.name_end].strip()
    if one.reference or not one.concept or not name or one.quantity.start < one.name_end:
        return False
    return shipped_test(name) is not None or len(one.concept) > 1


def _is_given(one: Regimen, text: str) -> bool:
    around = text[max(0, one.start - 12) : one.end + 6]
    return one.is_said or bool(_GIVEN.search(around)) or bool(_CHANGED.search(text))


def _span(note: Note, start: int, end: int) -> TextSpan:
    return TextSpan(note_id=note.id, start=start, end=end, quote=note.text[start:end])


def _day(note: Note) -> date | None:
    return note.written_at.date() if note.written_at else None


_RELATIVE = re.compile(
    r"昨|前[日晚夜]|次日|[\d一二两三四五六七八九十]+[日天]前|\d{1,2}[-/月]\d{1,2}|[术伤]后第"
)


def _when(told: Told) -> str:
    """The day of what a clause tells; where it counts from that day, only that it was written
    then, since 2026年3月5日昨日 would be another day."""
    day = written_day(_day(told.note))
    before = told.note.text[told.segment.start : told.end]
    return f"{day}记录：" if day and _RELATIVE.search(before) else day
