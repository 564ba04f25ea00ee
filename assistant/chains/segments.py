"""The record cut into sentences, each with its place, its section and the time it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from assistant.chains.facts import dates, fold
from assistant.record import Note
from knowledge.finding import Span


class Scope(StrEnum):
    """What time a sentence speaks of."""

    PRIOR = "prior"
    PRESENTING = "presenting"
    STAY = "stay"
    REFERENCE = "reference"


@dataclass(frozen=True, slots=True)
class Segment:
    """One sentence or table row: ``text`` is ``note.text[start:end]``."""

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
_HISTORY = {"既往史", "个人史", "婚育史", "月经史", "家族史", "过敏史"}
_EARLIER = re.compile(
    r"(?:\d+|[一二两三四五六七八九十数半])(?:余|多)?\s*(?:年|个?月|周)(?:余|多)?前"
    r"|既往|曾于|曾行|上次|前次|末次化疗|外院|上一周期|第[一二三四五六七八九十\d]+(?:周期|次)化疗后"
)


def _scope(note: Note, text: str, section: str, admitted_on: date | None) -> Scope:
    if note.kind == "structured":
        return Scope.STAY
    if section in _HISTORY or _EARLIER.search(text):
        return Scope.PRIOR
    if admitted_on is not None:
        written = [d for d in dates(text) if d.year is not None]
        days = [(d.year or 0, d.month, d.day or 28) for d in written]
        before = (admitted_on.year, admitted_on.month, admitted_on.day)
        if days and all(day < before for day in days):
            return Scope.PRIOR
    return Scope.PRESENTING if note.kind == "admission" else Scope.STAY


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Half-open ranges of the sentences, surrounding white space left out."""
    ranges: list[tuple[int, int]] = []
    start = 0
    for match in [*_END.finditer(text), None]:
        end = match.start() if match else len(text)
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if left < right:
            ranges.append((left, right))
        start = match.end() if match else end
    return ranges


def segment_note(note: Note, admitted_on: date | None = None) -> list[Segment]:
    """The sentences of one note; a section heading holds until the next one."""
    segments: list[Segment] = []
    section = ""
    for start, end in split_sentences(note.text):
        text = note.text[start:end]
        headings = list(_HEADING.finditer(fold(text)))
        if headings and headings[0].start() <= 2:
            section = re.sub(r"\s", "", headings[0][1])
        segments.append(
            Segment(
                note.id,
                start,
                end,
                text,
                section,
                _scope(note, text, section, admitted_on),
                note.written_at.date() if note.written_at else None,
            )
        )
        if headings:
            section = re.sub(r"\s", "", headings[-1][1])
    return segments


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
