"""The sentences of a record that are nearest to a question, by pairs of characters."""

from __future__ import annotations

import math
import re
from collections import Counter

from assistant.record.evidence import TextSpan
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from knowledge.text.folding import fold

COUNT = 6
_WORD = re.compile(r"[a-z0-9.+-]{2,}|[\u4e00-\u9fff]+")
_ASKING = re.compile(
    r"请问|什么|怎么样?|多少|有没有|是否|哪[些个天里位]|如何|吗|呢|的|了|患者|病人|这个|目前|现在|一下|告诉|我"
)


def _parts(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in _WORD.findall(fold(text)):
        if word[0] < "一":
            found[word] += 1
        else:
            found.update(word[n : n + 2] for n in range(len(word) - 1))
    return found


def nearest(
    reading: RecordReading, question: str, count: int = COUNT
) -> list[tuple[NoteReading, TextSpan]]:
    """At most ``count`` sentences, the nearest first; none where nothing is shared."""
    wanted = _parts(_ASKING.sub(" ", fold(question)[:2000]))
    if not wanted:
        return []
    places = [
        (note, note.span(s.start, s.end), _parts(s.text))
        for note in reading.notes
        for s in note.segments
    ]
    often = Counter(part for _, _, parts in places for part in parts)
    total = len(places) + 1
    scored = []
    for number, (note, place, parts) in enumerate(places):
        score = sum(math.log(total / often[p]) for p in wanted if p in parts)
        if score > 0:
            scored.append((score / math.sqrt(1 + len(parts)), -number, note, place))
    scored.sort(key=lambda one: (one[0], one[1]), reverse=True)
    return [(note, place) for _, _, note, place in scored[:count]]
