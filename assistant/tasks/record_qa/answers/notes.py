"""What a note says as a whole: of the nurses, of a ward that was asked, of a ward round."""

from __future__ import annotations

import re

from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import MOST_QUOTES, Saying
from assistant.tasks.record_qa.tests import table


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """The sentences of the notes that the question means, the newest note first."""
    kind = title = ""
    for words, wanted_kind, *wanted_title in table("note_words.tsv"):
        if re.search(words, asked.text):
            kind, title = wanted_kind, "".join(wanted_title)
            break
    if of := _DEPARTMENT.search(asked.text):
        _of_department(of[1], reading, out)
        if not out.is_empty:
            return
    if not kind and not title:
        out.note("没有看出是哪一份文书，请写明，如“会诊记录”“护理记录”。", "missing")
        return
    found = [
        note
        for note in reading.notes
        if (not kind or note.note.kind == kind) and (not title or re.search(title, note.note.title))
    ]
    of_day = [n for n in found if asked.day is None or n.day == asked.day]
    if found and not of_day:
        out.note("当日没有这种文书；下面是最近的一份。")
        of_day = found[-1:]
    for note in reversed(of_day):
        for segment in note.segments:
            if len(out.statements) < MOST_QUOTES:
                out.quote(note, note.span(segment.start, segment.end))
    if not found:
        out.note("病历中没有这种文书。", "not_recorded")


_DEPARTMENT = re.compile(
    r"([\u4e00-\u9fff]{1,6}?科)(?=会诊|[^，。]{0,3}(?:怎么|如何|咋|说|意见|建议|写))"
)


def _of_department(name: str, reading: RecordReading, out: Saying) -> None:
    """What another department wrote when it was asked, or what a note says that it said."""
    name = re.sub(r"^(?:请|那|问|看看?)", "", name)
    for note in reversed(reading.notes):
        own = note.note.kind == "consultation" and name in note.note.title
        for segment in note.segments:
            told = name in segment.text and re.search(r"会诊|建议|意见", segment.text)
            if (own or told) and len(out.statements) < MOST_QUOTES:
                out.quote(note, note.span(segment.start, segment.end))
