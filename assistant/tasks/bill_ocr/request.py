"""Pages of one patient that are to be read."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.attachment import PageImage
from assistant.record.fields import Identifier, ShortText


class BillToRead(BaseModel):
    """Pages that were uploaded to ``/v1/attachments``, in their order.

    ``patient_name`` is who the context says it is: a bill of another person is then told of.
    """

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier
    encounter_id: Identifier | None = None
    patient_name: ShortText = ""
    file: ShortText = Field(default="", description="The name of the file they came from.")
    attachments: list[PageImage] = Field(min_length=1, max_length=100)
