"""影像分割: a series in, its structures with their volumes out; for research only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from assistant.tasks.segmentation.draft import ImageSegmentation
from assistant.tasks.segmentation.request import ImageToSegment
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class Segmentation(Task[ImageToSegment, ImageSegmentation]):
    """No language model has a part in it, and nothing of it is for care."""

    kind = "segmentation"
    title = Title("影像分割", "Segmentation")
    path = "segmentation"
    order = 62
    request = ImageToSegment
    draft = ImageSegmentation
    bound = False
    needs_model = False
    reviewed = False
    released = True
    page = "assistant.tasks.segmentation.ui.page:PAGE"
    outcome = "assistant.tasks.segmentation.outcome:outcome"
    tool = (
        "科研用途 research only: structures of an image series (such as the parts of the brain on "
        "a T1 MRI) with their volumes, left and right"
    )
    command = Command(
        "segment",
        "assistant.tasks.segmentation.command:segment",
        "Structures of an image with their volumes, left and right; for research only.",
        "例 Examples: bedside segment t1.nii.gz --model brain-subcortical --out mask.nii.gz\n\n"
        "bedside segment study.zip --model /srv/models/liver --out mask.nrrd --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "the parts of the brain": {
            "patient_id": "pat-0003",
            "attachments": [
                {
                    "kind": "dicom_series",
                    "id": "0198f0c2-0000-7000-8000-000000000001",
                    "study_uid": "1.2.826.0.1.3680043.8.498.1",
                    "series_uid": "1.2.826.0.1.3680043.8.498.2",
                    "modality": "MR",
                    "sha256": "0" * 64,
                    "instances": 176,
                }
            ],
            "model": "brain-subcortical",
        }
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """One series of images and a model that there is.  Raises `Refused`."""
        from assistant.imaging.classical import CLASSICAL
        from serving.vision.store import VisionStore

        request: ImageToSegment = body
        if request.image.modality in ("RTSTRUCT", "SEG"):
            raise Refused("请给出一个图像序列，而不是勾画。(Give a series of images.)")
        store = VisionStore(settings.home)
        if request.model != CLASSICAL and not store.holds(request.model):
            known = "、".join((*(one.name for one in store.list()), CLASSICAL))
            raise Refused(f"没有这个影像模型，可选：{known}。(There is no such image model.)")
        return super().accept(body, settings)

    async def run(
        self, request: ImageToSegment, run: Run
    ) -> AsyncIterator[Event | ImageSegmentation]:
        """How far it is, then one draft."""
        from assistant.tasks.segmentation.run import segmented

        if not run.kept:
            async for step in segmented(request, run.context, run.resources):
                yield step
