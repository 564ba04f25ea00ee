"""What no route takes, where sentences of the record hold the very words of the question.

The sentences are quoted as they stand, with how each is meant; whether they answer is left to the
reader, and it is said so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.grounding.segments import Segment
from assistant.tasks.record_qa.asked import Asked
from assistant.tasks.record_qa.reading import NoteReading, RecordReading
from assistant.tasks.record_qa.saying import Saying
from assistant.tasks.record_qa.series import OTHER_BED
from assistant.tasks.record_qa.slots import GENERIC
from assistant.tasks.record_qa.tests import table
from knowledge.text.folding import fold

MOST = 4
_SHORTEST = 2
_COVERED = 0.6
"""Share of the question's own characters that a sentence must hold."""

_OFTEN = 0.2
"""A word that so many sentences have tells nothing alone."""

_RUN = re.compile(r"[a-z0-9.+-]{2,}|[\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class _Sentence:
    note: NoteReading
    segment: Segment
    folded: str


def answer(reading: RecordReading, asked: Asked, out: Saying) -> bool:
    """Quote the sentences that hold most of what is asked; False where none does."""
    places = [
        _Sentence(note, segment, fold(segment.text))
        for note in reading.notes
        for segment in note.segments
        if not OTHER_BED.search(segment.text)
    ]
    scored = [one for text in written(asked.folded) for one in _scored(asked, text, places)]
    if not scored:
        return False
    best = max(scored)[0]
    chosen = list({one[2]: one for one in scored if one[0] >= best - 0.1}.values())
    # The newest of those that hold as much come first where there are many.
    for *_, place in sorted(sorted(chosen, reverse=True)[:MOST], key=lambda one: one[2]):
        out.quote(place.note, place.note.span(place.segment.start, place.segment.end))
    out.note("下面是病历中写到所问内容的原文，按文书先后列出；是否回答了问题请核对。")
    return True


_Scored = tuple[float, int, int, _Sentence]
"""How much of the question a sentence holds, how much of it is rare, its place among all."""


def _scored(asked: Asked, text: str, places: Sequence[_Sentence]) -> list[_Scored]:
    """The sentences that hold enough of a question; a number that is asked for must be there."""
    runs = _content(text)
    wanted = sum(map(len, runs))
    if not wanted:
        return []
    amount = _AMOUNT.search(asked.folded)
    found: list[_Scored] = []
    for number, place in enumerate(places):
        held = [word for run in runs for word in _held(run, place.folded)]
        if sum(map(len, held)) < _COVERED * wanted:
            continue
        rare = [w for w in held if _share(w, places) <= _OFTEN]
        told = amount is not None and _of_amount(amount[0], place.folded)
        if told or (rare and amount is None):
            found.append((sum(map(len, held)) / wanted, sum(map(len, rare)), number, place))
    return found


_AMOUNT = re.compile(r"几[次颗枚个支根片粒级度天周]|多(?:少|大|粗|长|重|高|宽|快|厚|深)")


def _of_amount(asked: str, text: str) -> bool:
    """Whether a sentence has a number of the kind that is asked for."""
    unit = asked[1:] if asked[0] == "几" else ""
    unit = {"颗": "[颗枚个]", "个": "[颗枚个支]", "枚": "[颗枚个]"}.get(unit, unit)
    return re.search(rf"[\d一二两三四五六七八九十]\s*{unit}", text) is not None


def written(folded: str) -> list[str]:
    """A question in the words of notes: 石头 is written 结石, 大便稀 in several ways."""
    found = [folded]
    for pattern, words, _ in table("everyday_words.tsv"):
        if re.search(pattern, folded):
            said = words.split("|")
            found = [re.sub(rf"(?:{pattern})(?!{w})", w, text) for text in found for w in said]
    return found


def _content(folded: str) -> list[str]:
    """The runs of characters of a question that ask for something."""
    return [
        run
        for part in _asking().split(folded)
        if part
        for run in _RUN.findall(part)
        if len(run) >= _SHORTEST
    ]


def _asking() -> re.Pattern[str]:
    words = sorted((row[0] for row in table("asking_words.tsv")), key=len, reverse=True)
    return re.compile("|".join(words))


def _held(run: str, text: str) -> list[str]:
    """The longest pieces of a run, from its left, that the text has.

    A piece that many names end with is no piece of one: 蛋白 is not 铁蛋白.
    """
    found: list[str] = []
    at = 0
    while at + _SHORTEST <= len(run):
        end = next((e for e in range(len(run), at + _SHORTEST - 1, -1) if run[at:e] in text), 0)
        if end and (end - at == len(run) or not GENERIC.fullmatch(run, at, end)):
            found.append(run[at:end])
            at = end
        else:
            at = max(end, at + 1)
    return found


def _share(word: str, places: Sequence[_Sentence]) -> float:
    return sum(word in place.folded for place in places) / len(places)
