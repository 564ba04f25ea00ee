"""A text of the record."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import StringConstraints

from assistant.record.fields import Identifier, Moment, ShortText, Strict

NoteText = Annotated[str, StringConstraints(max_length=200_000)]
NoteKind = Literal[
    "admission",
    "first_progress",
    "progress",
    "operation",
    "consultation",
    "discharge_day",
    "nursing",
    "structured",
    "other",
]


class Note(Strict):
    """One text of the record.  ``text`` is never changed: offsets point into it."""

    id: Identifier
    kind: NoteKind = "other"
    title: ShortText = ""
    written_at: Moment | None = None
    author: ShortText = ""
    text: NoteText
