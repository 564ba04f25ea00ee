"""检出: a chest CT in, nodules with size, place, density and category out; for research only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from assistant.tasks.detection.draft import Detections
from assistant.tasks.detection.request import ScanToSearch
from assistant.work.events import Event
from assistant.work.image_model import need_image_model
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class NoduleDetection(Task[ScanToSearch, Detections]):
    """No language model has a part in it, and nothing of it is for care."""

    kind = "detection"
    title = Title("肺结节检出", "Nodules")
    path = "detection"
    order = 64
    request = ScanToSearch
    draft = Detections
    bound = False
    needs_model = False
    reviewed = False
    released = True
    page = "assistant.tasks.detection.ui.page:PAGE"
    outcome = "assistant.tasks.detection.outcome:outcome"
    evaluation = "bedside eval detection"
    tool = (
        "科研用途 research only: nodules of the lungs in a CT series, each with size, side, third, "
        "density, box and size category; or what a detector of the hospital's own (model) marks"
    )
    command = Command(
        "detect",
        "assistant.tasks.detection.command:detect",
        "Nodules of the lungs in a CT, or what a detector of your own marks; for research only.",
        "例 Examples: bedside detect ct/ --json\n\n"
        "bedside detect chest.png --model /srv/models/fracture --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "a chest CT": {
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
                }
            ],
        }
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """A CT, or an image and a model that there is.  Raises `Refused`."""
        request: ScanToSearch = body
        if not request.model and getattr(request.image, "modality", "") != "CT":
            raise Refused("肺结节检出只用于 CT，请给出一个 CT 序列。(Give a series of CT.)")
        if request.model:
            need_image_model(settings.home, request.model, "detection")
        return super().accept(body, settings)

    async def run(self, request: ScanToSearch, run: Run) -> AsyncIterator[Event | Detections]:
        """One draft."""
        from assistant.tasks.detection.run import detected

        if not run.kept:
            yield await detected(request, run.context, run.resources)
