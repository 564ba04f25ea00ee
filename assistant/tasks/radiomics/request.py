"""A region of an image whose features are asked for."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.attachment import REGION_MODALITIES, Series
from assistant.record.fields import Identifier, ShortText
from assistant.tasks.radiomics.settings import DEFAULT, Settings


class RegionToMeasure(BaseModel):
    """A series and its region, both uploaded to ``/v1/attachments``.

    ``settings`` are the name of shipped ones, or settings themselves; never a file.
    """

    model_config = ConfigDict(extra="forbid")

    patient_id: Identifier
    encounter_id: Identifier | None = None
    attachments: list[Series] = Field(
        min_length=2, max_length=2, description="The images, and an RTSTRUCT or DICOM SEG."
    )
    roi: ShortText = Field(default="", description="The region's name, where there are several.")
    settings: Settings | ShortText = DEFAULT
    reproducibility: bool = Field(
        default=False, description="Also perturb image and region: the ICC of each feature."
    )

    @property
    def image(self) -> Series:
        """The series of images."""
        return next(one for one in self.attachments if one.modality not in REGION_MODALITIES)

    @property
    def region(self) -> Series:
        """The RTSTRUCT or SEG."""
        return next(one for one in self.attachments if one.modality in REGION_MODALITIES)
