"""An image whose class is asked for."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assistant.record.attachment import Attachment
from assistant.record.fields import Identifier

ModelName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$", max_length=100)
]


class ImageToClassify(BaseModel):
    """A series or a picture that was uploaded to ``/v1/attachments``, and the model by its name."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier
    encounter_id: Identifier | None = None
    attachments: list[Attachment] = Field(min_length=1, max_length=1, description="The image.")
    model: ModelName = Field(description="A classifier of this server.")
    slice: int | None = Field(
        default=None,
        ge=0,
        description="From 0: the slice that a model of two dimensions is given of a volume.",
    )
    heat_map: bool = Field(default=True, description="Whether it is looked for where it was seen.")

    @property
    def image(self) -> Attachment:
        """The image."""
        return self.attachments[0]
