"""How long it was from one event of the stay to another: 从入院到手术隔了几天."""

from __future__ import annotations

import re

from assistant.record.fields import written_day
from assistant.tasks.record_qa.answers.quoted import written
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import Row
from assistant.tasks.record_qa.periods import Event, event_time
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.saying import Saying

_BETWEEN = re.compile(
    r"(?:从|自|离|距)?(?P<one>.+?)(?:到|至|离|距)(?P<two>.+?)"
    r"(?:一?共|总共|中间|间|相)*隔?了?(?:几|多少|过)"
)


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """Both days and the days between them; nothing where the notes tell one of them not."""
    for text in written(asked.folded):
        hit = _BETWEEN.search(text)
        ends = [event_time(hit[part], reading) for part in ("one", "two")] if hit else []
        if len(ends) == 2 and ends[0] and ends[1]:
            earlier, later = sorted((ends[0], ends[1]), key=lambda one: one.at)
            _between(earlier, later, out)
            return
    out.note("病历没有写明其中一件事的日期。", "not_recorded")


def _between(one: Event, two: Event, out: Saying) -> None:
    days = (two.at.date() - one.at.date()).days
    said = (
        f"{one.words} {written_day(one.at)}，{two.words} {written_day(two.at)}，相隔 {days} 天"
        "（按日期计，请核对原文）。"
    )
    if one.place and two.place:
        out.say(said, one.place, two.place)
    else:
        out.note(said)
    rows = [
        Row(cells=[e.words, written_day(e.at)], evidence=[e.place] if e.place else [])
        for e in (one, two)
    ]
    out.table("时间", ["事件", "日期"], rows)
