"""Events that the notes of an encounter tell, clause by clause."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from assistant.course.asked import asked, led
from assistant.course.clauses import NoteClause, clauses_of
from assistant.course.cues import Cue, cue_of
from assistant.course.event import CourseEvent, Value
from assistant.grounding.drug_course import with_course
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import measured
from assistant.grounding.segments import Scope, Segment
from assistant.record.encounter import Encounter
from assistant.record.evidence import TextSpan
from assistant.record.fields import written_day
from assistant.record.note import Note
from knowledge.text.drugs import DrugNames, generic_name
from knowledge.text.regimen import Regimen
from knowledge.text.regimens import regimens
from knowledge.text.synonyms import TermKind
from knowledge.text.term_table import shipped_test
from knowledge.text.terms import find_terms

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
_CORE = re.compile(
    r"[（(].*?[)）]|^(?:急性|慢性|重度|中度|轻度|左侧|右侧|双侧|[左右])+|病?[\dⅠⅡⅢⅣ]+[级期型度].*$|形成$"
)
_SHORTEST_NAME = 2
_STOPPED = re.compile(r"(?:立即|暂)?(?P<since>停[用服]?)[^，。；;、]{2,14}")
_FELT = frozenset({TermKind.SYMPTOM, TermKind.SIGN})
_MOST_COMPLAINTS = 2
_TURN = re.compile(r"减轻|缓解|消失|好转|改善|减少|消退|加重")
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
        yield from self._found_out()
        yield from self._stopped_on_arrival()
        yield from self._turned()
        for note in self.notes:
            if note.kind == "structured":
                continue
            leaving = note.kind == "discharge_day"
            if note.kind == "operation":
                yield from self._operation(note)
            for clause in clauses_of(note, self.segments):
                if note.kind == "operation" and _NAMED.match(clause.text):
                    continue
                yield from self._leaving(clause) if leaving else self._course(clause)

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

    def _found_out(self) -> Iterator[CourseEvent]:
        """What was diagnosed in the stay: of each diagnosis of the discharge that the admission
        does not have, the first sentence that names it."""
        named = [d.name for d in self.encounter.diagnoses if d.kind != "discharge"]
        for diagnosis in self.encounter.diagnoses:
            core = _CORE.sub("", diagnosis.name)
            if diagnosis.kind != "discharge" or not named or len(core) < _SHORTEST_NAME:
                continue
            if any(core in name or _CORE.sub("", name) in core for name in named):
                continue
            for segment in self.segments:
                note = next((n for n in self.notes if n.id == segment.note_id), None)
                speaks = note is not None and note.kind not in (
                    *OPENING,
                    "structured",
                    "discharge_day",
                )
                at = segment.text.find(core) if speaks and segment.scope is Scope.STAY else -1
                if note is None or at < 0 or _DENIED.search(segment.text, 0, at):
                    continue
                day = _day(note)
                yield CourseEvent(
                    kind="complication",
                    importance="must",
                    when=f"{written_day(day)}记录：" if day else "",
                    matter=segment.text.strip().rstrip("。"),
                    day=day,
                    evidence=(_span(note, segment.start, segment.end),),
                    any_words=(core,),
                )
                break

    def _stopped_on_arrival(self) -> Iterator[CourseEvent]:
        """Drugs of before that the first plan stops: 停华法林."""
        for segment in self.segments:
            note = next((n for n in self.notes if n.id == segment.note_id), None)
            if note is None or note.kind not in OPENING or segment.section != "诊疗计划":
                continue
            for hit in _STOPPED.finditer(segment.text):
                for drug in self.drug_names.find(hit[0]):
                    if re.search("[后时]$|以外|之外|其[他它余]", hit[0]):
                        continue
                    yield CourseEvent(
                        kind="drug_change",
                        importance="must",
                        when=written_day(_day(note)),
                        matter=hit[0].strip("，,；;。 "),
                        day=_day(note),
                        evidence=(_span(note, segment.start, segment.end),),
                        drugs=(generic_name(drug.name),),
                        stopped=True,
                    )

    def _turned(self) -> Iterator[CourseEvent]:
        """What became of the complaints: of each the last clause that tells its turn."""
        reason = next(self._reason(), None)
        if reason is None:
            return
        terms = find_terms(reason.matter)
        complaints = [reason.matter[t.start : t.end] for t in terms if t.kind in _FELT]
        for complaint in list(dict.fromkeys(complaints))[:_MOST_COMPLAINTS]:
            last: NoteClause | None = None
            for note in self.notes:
                if note.kind != "progress":
                    continue
                for clause in clauses_of(note, self.segments):
                    if complaint in clause.text and _TURN.search(clause.text):
                        last = clause
            if last is not None and not last.stances & _NOT_DONE:
                yield CourseEvent(
                    kind="complication",
                    importance="must",
                    when=_when(last),
                    matter=last.text,
                    day=_day(last.note),
                    evidence=(last.evidence,),
                    any_words=(complaint,),
                )

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

    def _course(self, clause: NoteClause) -> Iterator[CourseEvent]:
        cue = cue_of(clause.text, clause.note.kind)
        if cue is None and self._shown is not None and self._shown[0] is clause.segment:
            # What an examination showed goes on: 心脏超声：左房内径42mm，左心耳未见血栓.
            cue = self._shown[1]
        if cue is not None and cue.kind in ("examination", "pathology") and "：" in clause.text:
            self._shown = (clause.segment, cue)
        stances = clause.stances - (_OPINION if cue and cue.kind == "consultation" else set())
        if stances & _NOT_DONE:
            return
        found = False
        # What was measured before the admission is for the rows, where it was abnormal.
        # 输注单采血小板1个治疗量 is no count of platelets.
        none = clause.note.kind in OPENING or (cue is not None and cue.kind == "transfusion")
        values = () if none else self._values(clause)
        for event in (*values, *self._drugs(clause)):
            found = True
            yield event
        if cue is None or (found and cue.kind not in _BESIDE):
            return
        match = cue.pattern.search(clause.text) or re.search(".+", clause.text)
        if match is None or (
            cue.kind in ("complication", "transfusion", "intensive_care")
            and _DENIED.search(clause.text, 0, match.start() + 1)
        ):
            return
        yield self._cued(clause, cue, match)

    def _cued(self, clause: NoteClause, cue: Cue, match: re.Match[str]) -> CourseEvent:
        whole = clause.segment if cue.kind in ("complication", "consultation") else None
        text, evidence = clause.text, clause.evidence
        if whole is not None:
            text, evidence = whole.text, _span(clause.note, whole.start, whole.end)
        words, any_words = asked(cue, match, clause, text)
        return CourseEvent(
            kind=cue.kind,
            importance=cue.importance,
            when=_when(clause),
            matter=text,
            day=_day(clause.note),
            evidence=(evidence,),
            words=words,
            any_words=any_words,
            loose=cue.kind in ("examination", "pathology"),
        )

    def _values(self, clause: NoteClause) -> Iterator[CourseEvent]:
        for one in measured(clause.text):
            if not _is_result(one, clause.text) or one.concept in _VITALS:
                continue
            written = clause.text[one.quantity.start : one.quantity.tail or one.quantity.end]
            name = clause.text[one.name_start : one.name_end]
            yield CourseEvent(
                kind="result",
                importance="must",
                when=_when(clause),
                matter=clause.text,
                day=_day(clause.note),
                evidence=(clause.evidence,),
                values=(Value(test=name, written=written),),
            )

    def _drugs(self, clause: NoteClause) -> Iterator[CourseEvent]:
        found = with_course(clause.text, regimens(clause.text, self.drug_names.find(clause.text)))
        for one in found:
            if one.drug.name.endswith(("药物", "药")):
                continue
            if one.planned or not _is_given(one, clause.text) or "敏感" in clause.text:
                continue
            changed = one.stopped or bool(_CHANGED.search(clause.text))
            yield CourseEvent(
                kind="drug_change" if changed else "drug",
                importance="must",
                when=_when(clause),
                matter=clause.text,
                day=_day(clause.note),
                evidence=(clause.evidence,),
                drugs=(generic_name(one.drug.name),),
                stopped=one.stopped,
            )

    def _leaving(self, clause: NoteClause) -> Iterator[CourseEvent]:
        """A clause of the day of discharge: how the patient is, or what to do."""
        text = clause.text
        if _TODAY.search(text):
            return
        results = list(self._values(clause))
        if results:
            yield from results
            return
        advice = bool(_ADVICE.search(text)) or _after_advice(clause)
        bare = re.sub(r"^(?:患[者儿])?(?:今日出院)?(?:嘱|建议)", "", text)
        if len(bare) < 2:
            return
        yield CourseEvent(
            kind="advice" if advice else "discharge_condition",
            importance="must" if advice or _is_condition(clause) else "useful",
            matter=f"{'嘱' if advice and not text.startswith('嘱') else ''}{text}",
            day=_day(clause.note),
            evidence=(clause.evidence,),
            words=(led(bare),),
            loose=advice,
        )


def _is_condition(clause: NoteClause) -> bool:
    """Whether a clause is of what a discharge is judged by: the complaint, the wound, the vital
    signs that are asked for."""
    first = not clause.note.text[: clause.start].strip()
    return first or _CONDITION.search(clause.text) is not None


def _after_advice(clause: NoteClause) -> bool:
    """Whether an earlier clause of the sentence has 嘱."""
    before = clause.note.text[clause.segment.start : clause.start]
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


def _when(clause: NoteClause) -> str:
    """The day of what a clause tells; where it counts from that day, only that it was written
    then, since 2026年3月5日昨日 would be another day."""
    day = written_day(_day(clause.note))
    before = clause.note.text[clause.segment.start : clause.end]
    return f"{day}记录：" if day and _RELATIVE.search(before) else day
