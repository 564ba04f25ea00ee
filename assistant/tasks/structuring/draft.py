"""What notes come to: entities, relations, codes, the patient's view, a table of features."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assistant.draft import Draft
from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.features import FeatureTable
from assistant.tasks.structuring.patient import PatientView


class NotesSummary(Draft):
    """What is said of structured notes where the notes themselves stand beside it."""

    kind: Literal["structured_notes"] = "structured_notes"
    model: str
    warnings: list[str] = Field(default_factory=list)
    seconds: float = 0.0


class StructuredNotes(NotesSummary):
    """What the chain gives: a draft like every other."""

    notes: list[StructuredNote]
    patient: PatientView
    table: FeatureTable | None = None

    def plain_text(self) -> str:
        """The entities as lines."""
        return "\n".join(f"{e.type_zh}：{e.text}" for note in self.notes for e in note.entities)
