"""An event of a record."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from assistant.record.encounter import Encounter
from assistant.record.note import Note

EventType = Literal["note.saved", "encounter.start", "encounter.discharge", "result.final"]
EventId = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,128}$")]


class RecordEvent(BaseModel):
    """What happened, and the record as it is now.

    ``id`` is the sender's: the same id is the same event, however often it comes.  ``note`` is the
    note that was saved; one of the same id in the encounter is replaced by it.
    """

    model_config = ConfigDict(extra="forbid")

    id: EventId
    type: EventType
    encounter: Encounter
    note: Note | None = None

    @model_validator(mode="after")
    def _note_told(self) -> Self:
        if self.note is not None:
            others = [n for n in self.encounter.notes if n.id != self.note.id]
            self.encounter = self.encounter.model_copy(update={"notes": [*others, self.note]})
        return self

    @property
    def note_kind(self) -> str:
        """The kind of the note that was saved; empty for other events."""
        return self.note.kind if self.note is not None else ""
