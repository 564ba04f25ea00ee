"""鉴别诊断: a case in, one draft a panel member out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from assistant.record.case import Case
from assistant.review.fill_in import FillIn, Resolution
from assistant.tasks.differential.draft import DifferentialDraft
from assistant.tasks.differential.prompt import TASK
from assistant.work.events import Event
from assistant.work.task import Command, PromptUse, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class CaseRequest(Case):
    """A case, and which members are to answer (none named: all)."""

    members: list[str] = Field(default_factory=list, max_length=8)


class Differential(Task[Case, DifferentialDraft]):
    """The knowledge ranking comes at once; the members answer when their models do."""

    kind = "differential_diagnosis"
    title = Title("鉴别诊断", "Differential diagnosis")
    path = "differential-diagnoses"
    order = 10
    request = Case
    draft = DifferentialDraft
    body = CaseRequest
    needs_knowledge = True
    page = "assistant.tasks.differential.ui.page:PAGE"
    routes = "assistant.tasks.differential.routes:add"
    evaluation = "bedside eval differential"
    tool = "Differential diagnoses of a case, ranked, with evidence and what must be excluded"
    command = Command(
        "ddx",
        "assistant.tasks.differential.command:ddx",
        "Differential diagnosis of a case (JSON as in the API, or free text).",
        "Example: bedside ddx case.json --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "chest pain": {
            "patient": {"id": "pat-0001", "sex": "male", "age_text": "58岁", "age_years": 58},
            "encounter_id": "enc-0001",
            "chief_complaint": "胸痛2小时",
            "present_illness": (
                "2小时前搬重物后突发胸骨后压榨样疼痛，伴出汗、恶心，无发热、咳嗽。"
            ),
            "past_history": "高血压10年，否认糖尿病。",
            "examination": "血压160/95mmHg，心率98次/分，双肺未闻及啰音。",
            "tests": "",
        }
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The case.  Raises `Refused` for one without text, and for a member that is not there."""
        if not body.notes():
            raise Refused("病历内容为空：请至少填写主诉、现病史或病历原文。(The case has no text.)")
        members: list[str] = getattr(body, "members", [])
        known = {member.name for member in settings.panel}
        if unknown := [name for name in members if name not in known]:
            raise Refused(
                f"有 {len(unknown)} 个成员不存在，可选：{'、'.join(sorted(known))}。"
                "(Unknown members.)"
            )
        case = Case.model_validate(body.model_dump(exclude={"members"}))
        return Submission(
            case.patient.id,
            case.encounter_id,
            case.model_dump(mode="json"),
            case.record_hash(),
            {"members": members} if members else {},
        )

    def prompts(self, settings: Settings) -> Sequence[PromptUse]:
        """Each member's version of the template."""
        return [PromptUse(seat.engine, TASK, seat.prompt) for seat in settings.panel]

    def engine_of(self, draft: DifferentialDraft, settings: Settings) -> str:
        """The engine of the member's seat."""
        return next(seat.engine for seat in settings.panel if seat.name == draft.member)

    async def prepare(self, request: Case, run: Run) -> AsyncIterator[Event | DifferentialDraft]:
        """The knowledge ranking."""
        from assistant.tasks.differential.run import ranking

        yield await ranking(request, run.resources)

    async def run(self, request: Case, run: Run) -> AsyncIterator[Event | DifferentialDraft]:
        """The knowledge ranking unless it is there, and each member as it answers."""
        from assistant.tasks.differential.run import answers

        async for draft in answers(request, run):
            yield draft

    def fill_in(
        self,
        draft: DifferentialDraft,
        resolutions: Mapping[str, Resolution],
        request: Callable[[], Case | None],
    ) -> FillIn:
        """首次病程记录."""
        from assistant.tasks.differential.fill_in import first_progress_note

        return first_progress_note(draft, resolutions, request())
