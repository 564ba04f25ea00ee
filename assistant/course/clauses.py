"""The clauses of the notes that may tell an event, with how they are meant."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.grounding.segments import Scope, Segment
from assistant.grounding.stance import stances
from assistant.record.evidence import TextSpan
from assistant.record.note import Note

_CLAUSE = re.compile(r"(?:(?<=\d)[,，](?=\d{3}(?!\d))|[^，,；;。\n])+")
_DEPENDENT = re.compile(r"对|伴|长约|直径|周围|边界|以[^，]{1,8}为主|大小|最深|并(?!发)|其|表面")
"""How a clause begins that says more of the one before it."""


@dataclass(frozen=True, slots=True)
class NoteClause:
    """A clause of a note, at ``[start, end)`` of it."""

    note: Note
    segment: Segment
    start: int
    end: int
    text: str
    stances: frozenset[str]

    @property
    def evidence(self) -> TextSpan:
        """Where it stands."""
        return TextSpan(note_id=self.note.id, start=self.start, end=self.end, quote=self.text)


def clauses_of(note: Note, segments: Sequence[Segment]) -> Iterator[NoteClause]:
    """The clauses of the sentences of a note that speak of the stay; a dependent one is joined to
    the one before."""
    for segment in segments:
        if segment.note_id != note.id or segment.scope is not Scope.STAY:
            continue
        if segment.section in ("诊疗计划", "鉴别诊断", "病例特点", "诊断依据"):
            continue
        pieces: list[tuple[int, int]] = []
        for match in _CLAUSE.finditer(segment.text):
            if not match[0].strip():
                continue
            left = match.start() + len(match[0]) - len(match[0].lstrip())
            right = match.start() + len(match[0].rstrip())
            if pieces and _DEPENDENT.match(segment.text, left):
                pieces[-1] = (pieces[-1][0], right)
            else:
                pieces.append((left, right))
        for left, right in pieces:
            text = segment.text[left:right]
            yield NoteClause(
                note, segment, segment.start + left, segment.start + right, text, stances(text)
            )
