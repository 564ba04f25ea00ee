"""A CT in which nodules are looked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.attachment import Series
from assistant.record.fields import Identifier


class ScanToSearch(BaseModel):
    """One series of a chest CT, uploaded to ``/v1/attachments``."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier
    encounter_id: Identifier | None = None
    attachments: list[Series] = Field(min_length=1, max_length=1, description="The CT.")
    threshold: float | None = Field(
        default=None, ge=0, le=1, description="Least score that is told; default: the shipped one."
    )

    @property
    def image(self) -> Series:
        """The series."""
        return self.attachments[0]
