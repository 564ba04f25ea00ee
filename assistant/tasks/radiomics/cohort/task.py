"""队列建模: a table of cases in, a model validated by nested cross-validation out; for research."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel

from assistant.tasks.radiomics.cohort.draft import (
    CohortModel,
    CohortPart,
    CohortProgress,
    CohortResult,
    CohortSummary,
)
from assistant.tasks.radiomics.cohort.request import CohortToModel
from assistant.work.events import Event
from assistant.work.task import Refused, Run, Submission, Task, Title, digest

if TYPE_CHECKING:
    from assistant.settings import Settings

_EXAMPLE = base64.b64encode("编号,复发,特征\n1,1,0.5\n2,0,0.1\n".encode()).decode()


class RadiomicsCohort(Task[CohortToModel, CohortModel]):
    """No language model has a part in it, and nothing of it is for care."""

    kind = "radiomics_cohort"
    title = Title("队列建模", "Cohort")
    path = "radiomics-cohorts"
    order = 61
    request = CohortToModel
    draft = CohortModel
    bound = False
    needs_model = False
    reviewed = False
    listed = CohortSummary
    extras = CohortResult
    events = (CohortProgress, CohortPart)
    routes = "assistant.tasks.radiomics.cohort.routes:add"
    examples: ClassVar[Mapping[str, Any]] = {
        "a class": {
            "study_id": "lung-2024",
            "table": _EXAMPLE,
            "roles": {"outcome": "复发", "id": "编号"},
        }
    }

    def max_bytes(self, settings: Settings) -> int:
        """A table may be as large as an attachment."""
        return settings.max_attachment_bytes

    def accept(self, body: Any, settings: Settings) -> Submission:
        """A table that can be read, with an outcome.  Raises `Refused`."""
        from assistant.tasks.radiomics.cohort.refusal import CohortRefused
        from assistant.tasks.radiomics.cohort.run import checked

        request: CohortToModel = body
        try:
            request = checked(request)
        except CohortRefused as error:
            raise Refused(str(error)) from None
        payload = request.model_dump(mode="json")
        return Submission(request.study_id, "", payload, digest(payload))

    async def run(self, request: CohortToModel, run: Run) -> AsyncIterator[Event | CohortModel]:
        """How far it is and what is known so far, then one draft."""
        from assistant.tasks.radiomics.cohort.run import modelled

        if not run.kept:
            async for step in modelled(request, run.context, run.resources):
                yield step

    def more(self, request: CohortToModel, drafts: Sequence[CohortModel]) -> BaseModel:
        """The report itself."""
        return CohortResult(report=drafts[0].report) if drafts else CohortResult()
