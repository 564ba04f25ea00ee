"""What went wrong in the stay, and whether something that was thought of is excluded."""

from __future__ import annotations

import re

from assistant.course.stay import events_of
from assistant.tasks.record_qa.answers import mentions as told
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.mentions import STATUS_ZH, Mention, mentions
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.tests import table
from knowledge.text.synonyms import TermKind
from knowledge.text.terms import find_terms

_WENT_WRONG = re.compile(r"并发症|不良反应|副作用|不良事件|(?:输血|输液|过敏)反应")


def complications(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What went wrong in the stay, as its events are read; and what the notes say of such words."""
    for event in events_of(reading.encounter):
        if event.kind == "complication":
            out.say(event.text, *event.evidence)
    for term, _ in table("complication_terms.tsv"):
        for mention in mentions(reading, term):
            own = mention.note.note.kind not in ("admission", "first_progress")
            if own and mention.status == "present" and len(out.statements) < MOST_QUOTES:
                out.quote(mention.note, mention.place)
    words = _WENT_WRONG.search(asked.text)
    for mention in mentions(reading, words[0]) if words else ():
        out.quote(mention.note, mention.place, STATUS_ZH[mention.status])
    if out.is_empty:
        out.note(
            "病历中没有找到并发症或不良反应的记载。没有找到不等于没有，请核对病程。", "not_recorded"
        )
    else:
        out.note("下面是病程中与并发症、不良反应有关的记载，是否属于请医师判断。")


def ruled_out(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """What the record says of an illness that was thought of, and what the examinations found that
    were to settle it; whether it is excluded the doctor decides."""
    told.answer(reading, asked, out)
    examined: list[str] = []
    for mention in (m for term in asked.terms for m in mentions(reading, term)):
        if mention.status in ("uncertain", "hypothetical"):
            examined += _examinations(mention)
    shown = 0
    for number, row in enumerate(reading.encounter.observations):
        if any(_one_examination(e, row.name) for e in examined) and shown < _MOST_RESULTS:
            place = reading.row("observations", number)
            out.say(f"检验数据：{place.quote}", place)
            shown += 1
    for note in reading.notes:
        for segment in note.segments:
            said = any(e in segment.text for e in examined) and _RESULT.search(segment.text)
            if said and note.note.kind not in ("admission", "first_progress"):
                out.quote(note, note.span(segment.start, segment.end), "有关检查")
    if not out.is_empty:
        out.note("是否已经排除，请医师结合下列原文和检查判断。")


_MOST_RESULTS = 6
_EXAMINATION = frozenset({TermKind.TEST, TermKind.IMAGING, TermKind.PROCEDURE})
_RESULT = re.compile(r"[：:]|未见|示|提示|阴性|阳性|见")


def _examinations(mention: Mention) -> list[str]:
    """The examinations that the sentence of a doubt names behind it, up to the next number."""
    sentence = mention.place
    text = sentence.quote
    at = text.find(mention.words)
    stop = re.search(r"\d\s*[.．、](?=\D)", text[at:])
    part = text[at : at + stop.start()] if stop else text[at:]
    return [part[m.start : m.end] for m in find_terms(part) if m.kind in _EXAMINATION]


def _one_examination(one: str, other: str) -> bool:
    return len(one) > 1 and (one in other or other in one)
