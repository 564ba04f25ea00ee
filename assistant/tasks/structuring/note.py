"""A note as it is given to be structured."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class NoteText:
    """A note to structure; ``admitted_on`` is the day that 3天前 and 入院第2天 count from."""

    id: str
    text: str
    title: str = ""
    written_at: datetime | None = None
    admitted_on: date | None = None
    patient_id: str = ""
    encounter_id: str = ""
    access: str = ""
    """The group that may see it, where the note says so."""
