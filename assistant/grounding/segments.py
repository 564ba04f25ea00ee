"""The record cut into sentences, each with its place, its section and the time it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from assistant.grounding.clauses import Time, Writing, timed_parts
from assistant.grounding.wording import fold
from assistant.record.note import Note
from knowledge.text.finding import Span


class Scope(StrEnum):
    """What time a sentence speaks of."""

    PRIOR = "prior"
    PRESENTING = "presenting"
    STAY = "stay"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Segment:
    """A sentence, a part of one or a table row: ``text`` is ``note.text[start:end]``."""

    note_id: str
    start: int
    end: int
    text: str
    section: str
    scope: Scope
    written_on: date | None = None

    @property
    def span(self) -> Span:
        """Where the segment stands."""
        return Span(note_id=self.note_id, start=self.start, end=self.end)


_END = re.compile(r"[。；;！!？?\n]+")
_HEADING = re.compile(
    r"(主\s*诉|现病史|既往史|个人史|婚育史|月经史|家族史|过敏史|体格检查|查体|专科检查|专科情况"
    r"|辅助检查|初步诊断|入院诊断|诊疗计划|诊断依据|鉴别诊断|病例特点)\s*[：:]"
)
_STAY_HEADING = re.compile(
    r"(入院诊断|初步诊断|入院日期|入院时间|入院情况|诊疗经过|治疗经过|住院经过|手术经过|出院日期|出院时间"
    r"|出院诊断|最后诊断|出院情况|出院时情况|出院医嘱|出院指导|出院带药)\s*[：:]"
)
_HISTORY = {"既往史", "个人史", "婚育史", "月经史", "家族史", "过敏史"}
_ONSET = {"主诉", "现病史"}
_PRESENTING = {*_ONSET, "入院情况", "入院日期", "入院时间", "入院诊断", "初步诊断"}


def _scope(note: Note, section: str, time: Time | None) -> Scope:
    if time is Time.STAY:
        return Scope.STAY
    if time is Time.EARLIER or (section in _HISTORY and time is None):
        return Scope.PRIOR
    opening = note.kind in ("admission", "first_progress") or section in _PRESENTING
    return Scope.PRESENTING if opening else Scope.STAY


@dataclass
class _Story:
    """The time that a text without headings has come to: it holds until another one is named."""

    told: Time | None = None

    def goes_on(self, time: Time | None) -> Time | None:
        if time is None and self.told is Time.EARLIER:
            return Time.EARLIER
        self.told = time
        return time


_ADMITTED = re.compile(
    r"收(?:入|住|治)|来我?院|就诊我院"
    r"|入院(?!前|后|时|第|当|次|诊断|日期|时间|情况|查体|体检|检查|治疗经过|以来)"
)
_SINCE = re.compile(r"(?:患者)?(?:近期|近来|自?(?:发|起|患)病以?来|病程中|.{0,4}出院以来)")


def _until_admitted(story: list[Segment]) -> list[Segment]:
    """What a text without headings tells up to the admission is not of the stay, nor is how the
    patient has been since falling ill."""
    came = next(
        (
            n
            for n, s in enumerate(story)
            if s.scope is not Scope.PRIOR and _ADMITTED.search(fold(s.text))
        ),
        None,
    )
    if came is None:
        return story
    return [
        replace(s, scope=Scope.PRESENTING)
        if s.scope is Scope.STAY and (n <= came or _SINCE.match(fold(s.text)))
        else s
        for n, s in enumerate(story)
    ]


def _parts(
    note: Note,
    start: int,
    end: int,
    section: str,
    admitted_on: date | None,
    story: _Story | None,
) -> list[tuple[int, int, Scope]]:
    """The sentence cut where its clauses turn from an earlier time to this stay or back."""
    if note.kind == "structured":
        return [(start, end, Scope.STAY)]
    text = note.text[start:end]
    written_on = note.written_at.date() if note.written_at else None
    opening = note.kind in ("admission", "first_progress") or section in _ONSET | _HISTORY
    writing = Writing(admitted_on, written_on, opening)
    parts: list[tuple[int, int, Scope]] = []
    for left, right, named in timed_parts(text, writing):
        time = story.goes_on(named) if story is not None else named
        piece = text[left:right]
        left += len(piece) - len(piece.lstrip())
        right = left + len(piece.strip())
        if left == right:
            continue
        scope = _scope(note, section, time)
        if parts and parts[-1][2] is scope:
            parts[-1] = (parts[-1][0], start + right, scope)
        else:
            parts.append((start + left, start + right, scope))
    return parts or [(start, end, _scope(note, section, None))]


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Half-open ranges of the sentences, surrounding white space left out."""
    ranges: list[tuple[int, int]] = []
    start = 0
    for match in [*_END.finditer(text), None]:
        end = match.start() if match else len(text)
        if match and match[0][0] in "？?":
            # 肺炎？ is a doubt, not only an end.
            end += 1
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if left < right:
            ranges.append((left, right))
        start = match.end() if match else end
    return ranges


def segment_note(note: Note, admitted_on: date | None = None) -> list[Segment]:
    """The sentences of one note; a section heading holds until the next one.

    A sentence that speaks of an earlier time and of this stay is cut between the two.  A free text
    tells its story from sentence to sentence until its first heading.
    """
    segments: list[Segment] = []
    section = ""
    story = _Story() if note.kind == "other" else None
    written_on = note.written_at.date() if note.written_at else None
    for start, end in split_sentences(note.text):
        folded = fold(note.text[start:end])
        headings = list(_HEADING.finditer(folded))
        if opened := _STAY_HEADING.match(folded):
            headings.append(opened)
        if headings and headings[0].start() <= 2:
            section = re.sub(r"\s", "", headings[0][1])
        if story is not None and section:
            story, segments = None, _until_admitted(segments)
        segments += [
            Segment(note.id, left, right, note.text[left:right], section, scope, written_on)
            for left, right, scope in _parts(note, start, end, section, admitted_on, story)
        ]
        if headings:
            section = re.sub(r"\s", "", max(headings, key=lambda h: h.start())[1])
    return segments if story is None else _until_admitted(segments)


def segment_notes(notes: Iterable[Note], admitted_on: date | None = None) -> list[Segment]:
    """The sentences of all notes in order."""
    return [segment for note in notes for segment in segment_note(note, admitted_on)]


def segment_passages(passages: Sequence[tuple[str, str]]) -> list[Segment]:
    """Sentences of knowledge passages given as (passage id, text)."""
    return [
        Segment(passage_id, start, end, text[start:end], "", Scope.REFERENCE)
        for passage_id, text in passages
        for start, end in split_sentences(text)
    ]
