"""A CT in which nodules are looked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assistant.record.attachment import Attachment
from assistant.record.fields import Identifier

NODULES = ""
"""The name of what is built in: nodules of the lungs in a CT."""

ModelName = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$")]


class ScanToSearch(BaseModel):
    """One series or picture, uploaded to ``/v1/attachments``: a chest CT where no model is named,
    whatever the model is for otherwise."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier
    encounter_id: Identifier | None = None
    attachments: list[Attachment] = Field(min_length=1, max_length=1, description="The CT.")
    model: ModelName = Field(
        default=NODULES, description="A detector of this server; empty: nodules of the lungs."
    )
    threshold: float | None = Field(
        default=None, ge=0, le=1, description="Least score that is told; default: the shipped one."
    )

    @property
    def image(self) -> Attachment:
        """The series or picture."""
        return self.attachments[0]
