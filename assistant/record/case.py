"""A case: what a differential diagnosis starts from."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import Field, StringConstraints

from assistant.record.attachment import Attachments
from assistant.record.encounter import RESERVED
from assistant.record.fields import Identifier, Strict
from assistant.record.note import Note
from assistant.record.observation import Observation, observation_line
from assistant.record.patient import Patient

CASE_FIELDS = {
    "chief_complaint": "主诉",
    "present_illness": "现病史",
    "past_history": "既往史",
    "examination": "体格检查",
    "tests": "辅助检查",
    "text": "病历原文",
}


class Case(Strict):
    """What a differential diagnosis starts from: fields, or one free text, or both."""

    patient: Patient
    encounter_id: Identifier
    chief_complaint: Annotated[str, StringConstraints(max_length=2_000)] = ""
    present_illness: Annotated[str, StringConstraints(max_length=20_000)] = ""
    past_history: Annotated[str, StringConstraints(max_length=20_000)] = ""
    examination: Annotated[str, StringConstraints(max_length=20_000)] = ""
    tests: Annotated[str, StringConstraints(max_length=20_000)] = ""
    text: Annotated[str, StringConstraints(max_length=100_000)] = ""
    attachments: Attachments = Field(default_factory=list)
    # Left out where there are none: the hash of a case is over its JSON.
    observations: list[Observation] = Field(
        default_factory=list, max_length=5000, exclude_if=lambda rows: not rows
    )

    def notes(self) -> list[Note]:
        """Each filled field as a note whose id is the field's name, then the observations."""
        written = [
            Note(id=field, kind="other", title=title, text=getattr(self, field))
            for field, title in CASE_FIELDS.items()
            if getattr(self, field).strip()
        ]
        if not self.observations:
            return written
        lines = "\n".join(observation_line(row) for row in self.observations)
        table = Note.model_construct(
            id=f"{RESERVED}observations", kind="structured", title="检验检查", text=lines
        )
        return [*written, table]

    def missing_fields(self) -> list[str]:
        """Chinese names of the fields that are empty; none when a free text is given."""
        if self.text.strip():
            return []
        return [
            title
            for field, title in CASE_FIELDS.items()
            if field != "text" and not getattr(self, field).strip()
        ]

    def record_hash(self) -> str:
        """SHA-256 (hex) over the canonical JSON of the case."""
        body = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(body.encode()).hexdigest()
