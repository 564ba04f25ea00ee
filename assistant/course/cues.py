"""What clauses of notes tell: the rows of ``data/cues.tsv``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import cast

from assistant.course.event import EventKind, Importance


@dataclass(frozen=True, slots=True)
class Cue:
    """A row: a clause of a note of these kinds (empty: any) that matches is such an event."""

    kind: EventKind
    importance: Importance
    notes: frozenset[str]
    pattern: re.Pattern[str]
    example: str


@cache
def cues() -> tuple[Cue, ...]:
    """The rows in their order."""
    text = (files("assistant.course") / "data" / "cues.tsv").read_text(encoding="utf-8")
    rows = [r.split("\t") for r in text.splitlines() if r and not r.startswith("#")]
    return tuple(
        Cue(
            cast(EventKind, kind),
            cast(Importance, importance),
            frozenset() if notes == "*" else frozenset(notes.split(",")),
            re.compile(pattern),
            example,
        )
        for kind, importance, notes, pattern, example in rows
    )


def cue_of(clause: str, note_kind: str) -> Cue | None:
    """The first row that a clause matches."""
    for cue in cues():
        if (not cue.notes or note_kind in cue.notes) and cue.pattern.search(clause):
            return cue
    return None
