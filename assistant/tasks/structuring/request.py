"""Notes of one patient that are to be structured."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assistant.record.fields import Identifier, Moment, ShortText

LongText = Annotated[str, StringConstraints(max_length=1_100_000)]


class NoteToStructure(BaseModel):
    """One note.  ``text`` is never changed: offsets point into it."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier = "note"
    text: LongText
    title: ShortText = ""
    written_at: Moment | None = None


class NotesToStructure(BaseModel):
    """Notes of one patient; ``template`` names a shipped template for a table of features."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier | None = None
    encounter_id: Identifier | None = None
    admitted_at: Moment | None = None
    notes: list[NoteToStructure] = Field(min_length=1, max_length=500)
    template: ShortText = ""

    def record_hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of the notes."""
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()
