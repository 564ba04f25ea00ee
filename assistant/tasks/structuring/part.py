"""A note on its way through the processes that structure."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.tasks.structuring.note import NoteText


@dataclass(frozen=True, slots=True)
class Part:
    """A note; ``first``: at the head of what is written.  ``number``: of the file it is from."""

    note: NoteText
    first: bool = False
    number: int = 0
