"""The general way: what no route accounts for wholly gets the record's own lines, and no more.

Rows of the tests that are named, courses of the drugs, and the sentences that share most with the
question, as they stand. Nothing is computed and nothing chosen as the answer.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from assistant.grounding.segments import Scope, Segment
from assistant.tasks.record_qa.accounts import named_in, narrowed
from assistant.tasks.record_qa.answers import drugs, results
from assistant.tasks.record_qa.answers.quoted import written
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import Saying
from assistant.tasks.record_qa.series import OTHER_BED
from assistant.tasks.record_qa.slots import GENERIC
from knowledge.text.folding import fold
from knowledge.text.terms import find_terms

MOST = 4
LEAD = "记录中相关的原文如下，请核对。"
_NEAR = 0.55
"""Share of the best score that a sentence must reach."""

_OFTEN = 0.25
_LEAST_HELD = 0.34
"""Share of the question's words that the best sentence must have where no term is shared."""

_WHY_IN = re.compile(r"手术|开刀|原因|因为|为什么|什么病|治疗")
_STAYED = re.compile(r"住院|术(?!史)|年因")
_NEVER_KEPT = frozenset({"signer", "dates", "patient", "diagnosis", "calculation"})
"""Kinds whose answer says nothing to another question than theirs."""


@dataclass(frozen=True, slots=True)
class _Place:
    note: NoteReading
    segment: Segment
    score: float
    number: int


def answer(
    reading: RecordReading, asked: Asked, left: Sequence[str], first: RecordAnswer, out: Saying
) -> bool:
    """Put together what the record has near the question; False where it has nothing.

    ``left`` are the words that ``first``, the answer of a route, does not account for.
    """
    earlier = any(one.name == "earlier_stay" for one in narrowed(asked.folded))
    found = places(reading, asked, earlier=earlier)
    for place in sorted(found, key=lambda one: one.number):
        span = place.note.span(place.segment.start, place.segment.end)
        out.quote(place.note, span, "入院前" if earlier else "")
    if not earlier:
        _rows(reading, asked, first, out)
    if out.is_empty:
        return False
    words = "、".join(f"“{word}”" for word in left)
    lead = f"问题中的{words}没有对应的固定查询，未作判断；" if left else ""
    out.messages[:] = [lead + LEAD]
    out.outcome = "answered"
    return True


def _rows(reading: RecordReading, asked: Asked, first: RecordAnswer, out: Saying) -> None:
    """All values of the tests, all courses of the drugs, and the quotes that a route had."""
    if any(one.name == "except" for one in narrowed(asked.folded)):
        drugs.answer(reading, replace(asked, drugs=(), classes=(), day=None), out)
    elif asked.tests:
        whole = replace(asked, kind="trend", day=None, count=None, nth=None)
        results.answer(reading, whole, out)
    elif (asked.drugs or asked.classes) and asked.kind != "caution":
        drugs.answer(reading, replace(asked, day=None), out)
    elif first.statements and asked.kind not in _NEVER_KEPT:
        for statement in first.statements:
            out.say(statement.text, *statement.evidence)


def places(reading: RecordReading, asked: Asked, *, earlier: bool = False) -> list[_Place]:
    """The sentences that share most with a question, at most four; of the time before the
    admission where an earlier stay is asked for."""
    text = asked.folded
    for one in narrowed(text) if earlier else ():
        text = one.words.sub(" ", text)
    asking = written(text)
    wanted = {m.concept for t in asking for m in find_terms(t)}
    runs = [[_joined(run) for run in named_in(t)] for t in asking]
    sentences = [
        (note, segment)
        for note in reading.notes
        for segment in note.segments
        if not OTHER_BED.search(segment.text) and (not earlier or _is_earlier(note, segment))
    ]
    held = [
        _held(fold(text), {m.concept for m in find_terms(text)}, runs, wanted)
        for text in (note.so_far(s) for note, s in sentences)
    ]
    often = Counter(part for one in held for part in one[0])
    total = sum(len(note.segments) for note in reading.notes) + 1
    found = []
    for number, ((note, segment), (parts, share)) in enumerate(zip(sentences, held, strict=True)):
        rare = [p for p in parts if often[p] / total <= _OFTEN]
        named = any(p.startswith("=") for p in rare)
        if rare and (named or share >= _LEAST_HELD):
            score = sum(math.log(total / often[p]) * (2 if p[0] == "=" else 1) for p in parts)
            found.append(_Place(note, segment, score, number))
    if earlier and not found and _WHY_IN.search(text):
        return [_Place(note, segment, 0.0, n) for n, (note, segment) in enumerate(sentences)][:MOST]
    best = max((one.score for one in found), default=0.0)
    kept = [one for one in found if one.score >= _NEAR * best]
    return sorted(kept, key=lambda one: (-one.score, -one.number))[:MOST]


def _joined(run: str) -> str:
    return run.strip("的了过")


def _held(
    folded: str, concepts: set[str], runs: Sequence[Iterable[str]], wanted: set[str]
) -> tuple[set[str], float]:
    """What of a question a sentence holds: concepts (=…) and pairs of characters; and how much."""
    best: set[str] = set()
    most = 0.0
    for words in runs:
        # What many names end with is no part of one: 蛋白 is not 铁蛋白.
        whole = {word for word in words if word[0] <= "z"}
        pairs = {w[n : n + 2] for w in set(words) - whole for n in range(len(w) - 1)}
        pairs = {p for p in pairs if p in words or not GENERIC.fullmatch(p)}
        every = pairs | whole
        here = {part for part in every if part in folded}
        share = len(here) / len(every) if every else 0.0
        if share > most:
            best, most = here, share
    return best | {f"={c}" for c in wanted & concepts}, most


def _is_earlier(note: NoteReading, segment: Segment) -> bool:
    prior = note.scope(segment.start) is Scope.PRIOR
    return prior and _STAYED.search(segment.text) is not None
