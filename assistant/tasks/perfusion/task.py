"""脑灌注: a study over time in; maps, core and penumbra, a report out; for research only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from assistant.tasks.perfusion.draft import PerfusionReport
from assistant.tasks.perfusion.request import MODALITIES, PerfusionStudy
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class Perfusion(Task[PerfusionStudy, PerfusionReport]):
    """No language model has a part in it, and nothing of it is for care."""

    kind = "perfusion"
    title = Title("脑灌注", "Perfusion")
    path = "perfusion"
    order = 64
    request = PerfusionStudy
    draft = PerfusionReport
    bound = False
    needs_model = False
    reviewed = False
    released = True
    page = "assistant.tasks.perfusion.ui.page:PAGE"
    outcome = "assistant.tasks.perfusion.outcome:outcome"
    evaluation = "bedside eval perfusion"
    tool = (
        "科研用途 research only: brain perfusion of a CT or MR study over time: CBF, CBV, MTT, "
        "Tmax, core and penumbra volumes, mismatch, left against right, report"
    )
    command = Command(
        "perfusion",
        "assistant.tasks.perfusion.command:perfusion",
        "Brain perfusion (CT, MR): maps, core and penumbra, report; for research only.",
        "例 Examples: bedside perfusion ctp/ --out perfusion --json\n\n"
        "bedside perfusion ctp.nii.gz --tr 1.5 --modality CT --aif 120,96,4",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "a CT study in one series": {
            "patient_id": "pat-0003",
            "attachments": [
                {
                    "kind": "dicom_series",
                    "id": "0198f0c2-0000-7000-8000-000000000001",
                    "study_uid": "1.2.826.0.1.3680043.8.498.1",
                    "series_uid": "1.2.826.0.1.3680043.8.498.2",
                    "modality": "CT",
                    "sha256": "0" * 64,
                    "instances": 640,
                }
            ],
        }
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """Series of one study, all CT or all MR.  Raises `Refused`."""
        request: PerfusionStudy = body
        kinds = {one.modality for one in request.attachments}
        studies = {one.study_uid for one in request.attachments}
        if len(kinds) != 1 or not kinds <= set(MODALITIES) or len(studies) != 1:
            raise Refused(
                "请给出同一次检查的 CT 或 MR 灌注序列。"
                "(Give the CT or MR perfusion series of one study.)"
            )
        return super().accept(body, settings)

    async def run(
        self, request: PerfusionStudy, run: Run
    ) -> AsyncIterator[Event | PerfusionReport]:
        """One draft."""
        from assistant.tasks.perfusion.run import reported

        if not run.kept:
            yield await reported(request, run.context, run.resources)
