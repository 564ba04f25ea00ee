"""A perfusion study that is to be analysed."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.attachment import Series
from assistant.record.fields import Identifier
from assistant.tasks.perfusion.settings import PerfusionSettings

MODALITIES = ("CT", "MR")
Index = Annotated[int, Field(ge=0, le=100_000)]


class PerfusionStudy(BaseModel):
    """One or several series of one study, uploaded to ``/v1/attachments``."""

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier
    encounter_id: Identifier | None = None
    attachments: list[Series] = Field(min_length=1, max_length=200)
    step_seconds: float | None = Field(
        default=None, ge=0.05, le=60, description="Between volumes, where the files do not say."
    )
    artery: tuple[Index, Index, Index] | None = Field(
        default=None, description="Arterial input: column, row and slice, from 0; None: found."
    )
    settings: PerfusionSettings = PerfusionSettings()
