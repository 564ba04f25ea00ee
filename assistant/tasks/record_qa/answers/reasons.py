"""Why something was done or happened: the sentences that name it beside what speaks of a ground.

Whether a sentence is the reason the doctor decides: it is quoted, and never said to be one.
"""

from __future__ import annotations

import re

from assistant.grounding.segments import Segment
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.drugs import classes
from assistant.tasks.record_qa.mentions import concepts_of
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import Saying
from knowledge.text.folding import fold
from knowledge.text.terms import find_terms

MOST = 4
_GROUND = re.compile(
    r"因(?!子)|由于|考虑|鉴于|所致|引起|导致|继发|超过|未达|不支持|纠正|出现|好转|改善|控制|要求|指征|后(?=改|停|减|加)"
)
_DONE = re.compile(r"停|减|加|换|改|暂|未行|未予|行|予|用|转")
_ASKING = re.compile(
    r"[把被对将让]|为什么|为啥|为何|怎么会|咋会|什么原因|原因|[是没不了的吗呢又还要就给会]|[停减加换改用做上打]|[\s,，。?？]"
)
_SHORTEST = 3
_VERBS = re.compile(r"停|减|加|换|改|溶栓|剖|转|禁|拔|输")


def answer(reading: RecordReading, asked: Asked, out: Saying) -> None:
    """The sentences that speak of what is asked and of a ground, the most telling first."""
    subjects = _subjects(asked)
    # 复查K 4.0 speaks of 血钾.
    concepts = {c for one in (*asked.tests, *asked.terms) for c in (one, *concepts_of(one))}
    verbs = set(_VERBS.findall(asked.folded))
    scored: list[tuple[int, int, NoteReading, Segment]] = []
    for note in reading.notes:
        for segment in note.segments:
            folded = fold(segment.text)
            if not any(s.search(folded) for s in subjects) and not (
                concepts & {m.concept for m in find_terms(segment.text)}
            ):
                continue
            score = 2 * any(v in folded for v in verbs)
            score += bool(_GROUND.search(folded)) + bool(_DONE.search(folded))
            scored.append((score, -len(scored), note, segment))
    scored.sort(key=lambda one: one[:2], reverse=True)
    best = [one for one in scored if one[0] >= (2 if verbs else 1)][:MOST]
    for _, _, note, segment in best:
        out.quote(note, note.span(segment.start, segment.end))
    if best:
        out.note("下面是病历中与所问有关的原文；是否为其原因，请医师判断。")
        return
    # The nearest sentences stand beside it, and are no answer.
    out.note("病历未写明原因。", "not_recorded")


def _subjects(asked: Asked) -> list[re.Pattern[str]]:
    words: set[str] = set()
    for one in (*asked.drugs, *asked.tests, *asked.terms, *asked.imaging):
        words |= {fold(one), *(fold(c) for c in concepts_of(one))}
    if not words and not asked.classes:
        words = {part for part in _ASKING.split(asked.folded) if len(part) >= _SHORTEST}
    found = [re.compile(re.escape(word)) for word in words if word]
    return found + [p for c in classes() if c.name in asked.classes for p in (c.drugs, c.asked)]
