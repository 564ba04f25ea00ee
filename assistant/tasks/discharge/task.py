"""出院记录: an encounter in, five sections out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.encounter import Encounter
from assistant.review.fill_in import FillIn, NothingToFill, kept
from assistant.tasks.discharge.draft import (
    SECTION_ZH,
    DischargeHeader,
    SectionDraft,
    SectionName,
)
from assistant.tasks.discharge.events import Header
from assistant.tasks.discharge.prompt import PROMPT, TASK
from assistant.work.events import Event
from assistant.work.task import Command, PromptUse, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings

LISTS: tuple[SectionName, ...] = ("discharge_diagnosis", "discharge_orders")
"""The sections that have a line for each statement."""


class DischargeRequest(BaseModel):
    """An encounter, and which sections are wanted (none named: all five)."""

    model_config = ConfigDict(extra="forbid")

    encounter: Encounter
    sections: list[SectionName] = Field(default_factory=list, max_length=5)


class WithHeader(BaseModel):
    """The part of the record that is copied from the data."""

    header: DischargeHeader | None = None


class Discharge(Task[Encounter, SectionDraft]):
    """What is copied comes at once; what has to be written waits for the model."""

    kind = "discharge_record"
    title = Title("出院记录", "Discharge record")
    path = "discharge-records"
    order = 20
    request = Encounter
    draft = SectionDraft
    body = DischargeRequest
    needs_knowledge = True
    events = (Header,)
    extras = WithHeader
    page = "assistant.tasks.discharge.ui.page:PAGE"
    evaluation = "bedside eval discharge"
    tool = "A discharge record of a stay, section by section, each sentence with its evidence"
    command = Command(
        "discharge",
        "assistant.tasks.discharge.command:discharge",
        "Discharge record of an encounter (JSON as in the API, or free text).",
        "Example: bedside discharge encounter.json",
    )

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The encounter.  Raises `Refused`."""
        encounter: Encounter = body.encounter
        if not any(note.text.strip() for note in encounter.all_notes()):
            raise Refused("病历内容为空：没有任何病程记录或数据。(The encounter has no text.)")
        if len({note.id for note in encounter.notes}) < len(encounter.notes):
            raise Refused("notes 的 id 有重复，无法标注依据。(Note ids must be unique.)")
        return Submission(
            encounter.patient.id,
            encounter.id,
            encounter.model_dump(mode="json"),
            encounter.record_hash(),
            {"sections": body.sections} if body.sections else {},
        )

    def prompts(self, settings: Settings) -> Sequence[PromptUse]:
        """One template, for the default engine."""
        return (PromptUse(settings.default_engine, TASK, PROMPT),)

    def guidance(self) -> Any:
        """What the template is told about each section."""
        from assistant.tasks.discharge.plan import PLANS

        return {section: [plan.guidance, plan.limit] for section, plan in PLANS.items()}

    async def prepare(self, request: Encounter, run: Run) -> AsyncIterator[Event | SectionDraft]:
        """The header and the sections that are copied."""
        from assistant.tasks.discharge.run import copied

        async for step in copied(request, run):
            yield step

    async def run(self, request: Encounter, run: Run) -> AsyncIterator[Event | SectionDraft]:
        """The header unless it was told before, text as it is written, and each section."""
        from assistant.tasks.discharge.run import written

        async for step in written(request, run):
            yield step

    def fill_in(self, draft: SectionDraft, resolutions: Any, request: Any) -> FillIn:
        """The section's text, and what it must tell and does not."""
        separator = "\n" if draft.section in LISTS else ""
        stands = [
            s
            for s in draft.all_statements()
            if s.id not in draft.inserted()
            or (s.id in resolutions and resolutions[s.id].action in ("confirmed", "edited"))
        ]
        text = separator.join(kept(stands, resolutions))
        if not text.strip():
            raise NothingToFill
        omissions: list[str] = []
        if any(r.action in ("deleted", "edited") for r in resolutions.values()):
            # As it was written it holds every event; only a doctor's change can take one out.
            from assistant.tasks.discharge.outline import left_out

            omissions = left_out(request(), draft.section, text)
        return FillIn(text=text, fields={draft.section: text}, omissions=omissions)

    def more(self, request: Encounter, drafts: Sequence[SectionDraft]) -> BaseModel:
        """The header."""
        from assistant.tasks.discharge.header import header

        return WithHeader(header=header(request))

    def position(self, draft: SectionDraft) -> int:
        """Sections stand in the record's order, whichever is ready first."""
        return list(SECTION_ZH).index(draft.section)

    examples: ClassVar[Mapping[str, Any]] = {
        "cholecystectomy": {
            "encounter": {
                "id": "enc-0002",
                "patient": {
                    "id": "pat-0002",
                    "name": "示例患者",
                    "sex": "female",
                    "age_text": "45岁",
                },
                "department": "普外科",
                "admitted_at": "2026-03-02T09:00:00",
                "discharged_at": "2026-03-06T10:00:00",
                "diagnoses": [
                    {"kind": "admission", "name": "胆囊结石伴慢性胆囊炎"},
                    {"kind": "discharge", "name": "胆囊结石伴慢性胆囊炎", "primary": True},
                ],
                "notes": [
                    {
                        "id": "n1",
                        "kind": "admission",
                        "title": "入院记录",
                        "text": (
                            "主诉：反复右上腹痛1年。\n现病史：进食油腻后右上腹胀痛，无发热、黄疸。"
                        ),
                    },
                    {
                        "id": "n2",
                        "kind": "operation",
                        "title": "手术记录",
                        "written_at": "2026-03-03T15:00:00",
                        "text": "全麻下行腹腔镜胆囊切除术，术中出血约10ml，手术顺利。",
                    },
                    {
                        "id": "n3",
                        "kind": "discharge_day",
                        "title": "出院当日病程",
                        "written_at": "2026-03-06T08:00:00",
                        "text": (
                            "无腹痛、发热，切口愈合良好，体温36.5℃。"
                            "出院后低脂饮食，1个月后门诊复查。"
                        ),
                    },
                ],
                "medications": [
                    {
                        "id": "m1",
                        "name": "熊去氧胆酸胶囊",
                        "specification": "250mg/粒",
                        "dose": "250mg",
                        "route": "口服",
                        "frequency": "每日2次",
                        "days": 14,
                        "discharge": True,
                    }
                ],
            }
        }
    }
