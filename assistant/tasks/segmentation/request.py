"""An image whose structures are asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assistant.record.attachment import Series
from assistant.record.fields import Identifier

DEFAULT_MODEL = "brain-subcortical"

ModelName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", max_length=100)
]


class ImageToSegment(BaseModel):
    """A series that was uploaded to ``/v1/attachments``, and the model by its name; no folder."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier
    encounter_id: Identifier | None = None
    attachments: list[Series] = Field(min_length=1, max_length=1, description="The images.")
    model: ModelName = Field(
        default=DEFAULT_MODEL, description="An image model of this server, or ct-classical."
    )

    @property
    def image(self) -> Series:
        """The series of images."""
        return self.attachments[0]
