"""影像组学: a series and a region in, features by the IBSI definitions out; for research only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field

from assistant.record.attachment import REGION_MODALITIES
from assistant.tasks.radiomics.draft import MeasuredFeature, RadiomicsFeatures, RadiomicsSummary
from assistant.tasks.radiomics.request import RegionToMeasure
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class RadiomicsResult(BaseModel):
    """The features; ``drafts`` tells of the draft without repeating them."""

    features: list[MeasuredFeature] = Field(default_factory=list)


class Radiomics(Task[RegionToMeasure, RadiomicsFeatures]):
    """No language model has a part in it, and nothing of it is for care."""

    kind = "radiomics"
    title = Title("影像组学", "Radiomics")
    path = "radiomics"
    order = 60
    request = RegionToMeasure
    draft = RadiomicsFeatures
    bound = False
    needs_model = False
    reviewed = False
    released = True
    listed = RadiomicsSummary
    extras = RadiomicsResult
    page = "assistant.tasks.radiomics.ui.page:PAGE"
    outcome = "assistant.tasks.radiomics.outcome:outcome"
    tool = (
        "科研用途 research only: radiomic features of a region (RTSTRUCT or DICOM SEG) of an image "
        "series by the IBSI definitions, each with its code, unit and settings"
    )
    command = Command(
        "radiomics",
        "assistant.tasks.radiomics.command:app",
        "Radiomics: features of an image region, models of a cohort; for research only.",
        "Example: bedside radiomics extract ct/ --mask rtstruct.dcm --roi GTV-1 --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "a region of a CT": {
            "patient_id": "pat-0003",
            "attachments": [
                {
                    "kind": "dicom_series",
                    "id": "0198f0c2-0000-7000-8000-000000000001",
                    "study_uid": "1.2.826.0.1.3680043.8.498.1",
                    "series_uid": "1.2.826.0.1.3680043.8.498.2",
                    "modality": "CT",
                    "sha256": "0" * 64,
                    "instances": 134,
                },
                {
                    "kind": "dicom_series",
                    "id": "0198f0c2-0000-7000-8000-000000000002",
                    "study_uid": "1.2.826.0.1.3680043.8.498.1",
                    "series_uid": "1.2.826.0.1.3680043.8.498.3",
                    "modality": "RTSTRUCT",
                    "sha256": "1" * 64,
                    "instances": 1,
                },
            ],
            "roi": "GTV-1",
            "settings": "standard",
        }
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """One series of images and one region object.  Raises `Refused`."""
        from assistant.tasks.radiomics.settings import shipped

        request: RegionToMeasure = body
        regions = [one for one in request.attachments if one.modality in REGION_MODALITIES]
        if len(regions) != 1:
            raise Refused(
                "请给出一个图像序列和一个勾画（RTSTRUCT）或分割（SEG）。"
                "(Give one series of images and one RTSTRUCT or DICOM SEG.)"
            )
        if isinstance(request.settings, str) and request.settings not in shipped():
            known = "、".join(shipped())
            raise Refused(f"没有这个设置，可选：{known}。(There are no such settings.)")
        return super().accept(body, settings)

    async def run(
        self, request: RegionToMeasure, run: Run
    ) -> AsyncIterator[Event | RadiomicsFeatures]:
        """One draft."""
        from assistant.tasks.radiomics.run import measured

        if not run.kept:
            yield await measured(request, run.context, run.resources)

    def more(self, request: RegionToMeasure, drafts: Sequence[RadiomicsFeatures]) -> BaseModel:
        """The features themselves."""
        return RadiomicsResult(features=drafts[0].features) if drafts else RadiomicsResult()
