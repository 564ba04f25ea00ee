"""影像分类: an image in, how likely each class is and where it was seen; for research only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from assistant.tasks.classification.draft import ImageClass
from assistant.tasks.classification.request import ImageToClassify
from assistant.work.events import Event
from assistant.work.image_model import need_image_model
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class Classification(Task[ImageToClassify, ImageClass]):
    """No language model has a part in it, and nothing of it is for care."""

    kind = "classification"
    title = Title("影像分类", "Classes")
    path = "classification"
    order = 66
    request = ImageToClassify
    draft = ImageClass
    bound = False
    needs_model = False
    reviewed = False
    released = True
    page = "assistant.tasks.classification.ui.page:PAGE"
    outcome = "assistant.tasks.classification.outcome:outcome"
    tool = (
        "科研用途 research only: the class of a picture or an image series by a classifier of the "
        "hospital's own, with calibrated probabilities and the part of the image they rest on"
    )
    command = Command(
        "classify",
        "assistant.tasks.classification.command:classify",
        "How likely each class of an image is, and where it was seen; for research only.",
        "例 Examples: bedside classify chest.png --model /srv/models/pneumonia --json\n\n"
        "bedside classify study.zip --model ich --heat heat.png",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "a chest radiograph": {
            "patient_id": "pat-0003",
            "attachments": [
                {
                    "kind": "dicom_series",
                    "id": "0198f0c2-0000-7000-8000-000000000001",
                    "study_uid": "1.2.826.0.1.3680043.8.498.1",
                    "series_uid": "1.2.826.0.1.3680043.8.498.2",
                    "modality": "DX",
                    "sha256": "0" * 64,
                    "instances": 1,
                }
            ],
            "model": "pneumonia",
        }
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """An image and a model that there is.  Raises `Refused`."""
        from assistant.record.attachment import REGION_MODALITIES

        request: ImageToClassify = body
        if getattr(request.image, "modality", "") in REGION_MODALITIES:
            raise Refused("请给出图像，而不是勾画。(Give an image, not a region.)")
        need_image_model(settings.home, request.model, "classification")
        return super().accept(body, settings)

    async def run(self, request: ImageToClassify, run: Run) -> AsyncIterator[Event | ImageClass]:
        """One draft."""
        from assistant.tasks.classification.run import classified

        if not run.kept:
            yield await classified(request, run.context, run.resources)
