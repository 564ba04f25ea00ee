"""遗漏核对: what of the stay a discharge record, or any text, leaves out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.encounter import Encounter
from assistant.tasks.omissions.draft import OmissionReport
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title, digest

if TYPE_CHECKING:
    from assistant.settings import Settings

MOST = 100_000
"""Characters of a text that is checked, at most."""


class OmissionRequest(BaseModel):
    """An encounter and the text that is to tell it."""

    model_config = ConfigDict(extra="forbid")

    encounter: Encounter
    draft: str = Field(max_length=MOST, description="The text to check, as plain text.")


class Omissions(Task[OmissionRequest, OmissionReport]):
    """Rules alone: it needs no model and takes none's place."""

    kind = "omission_check"
    title = Title("遗漏核对", "Omission check")
    path = "omission-checks"
    order = 25
    request = OmissionRequest
    draft = OmissionReport
    waits = True
    needs_model = False
    reviewed = False
    evaluation = "bedside eval omissions"
    tool = (
        "Which events of a stay (operations, results and their turn, drugs, complications, "
        "pending results, advice) a text leaves out, each with its place in the record"
    )
    command = Command(
        "omissions",
        "assistant.tasks.omissions.command:omissions",
        "What of a stay a text leaves out: each with its place and a sentence to insert.",
        "Example: bedside omissions encounter.json --draft summary.txt --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "appendicitis": {
            "encounter": {
                "id": "enc-0005",
                "patient": {"id": "pat-0005", "name": "示例患者", "sex": "male", "age_years": 30},
                "admitted_at": "2026-03-02T09:00:00",
                "discharged_at": "2026-03-07T10:00:00",
                "operations": [
                    {"id": "p1", "name": "腹腔镜阑尾切除术", "at": "2026-03-02T13:00:00"}
                ],
                "notes": [
                    {
                        "id": "n1",
                        "kind": "progress",
                        "written_at": "2026-03-04T09:00:00",
                        "text": "患者无腹痛，拔除引流管。",
                    }
                ],
            },
            "draft": "入院后行阑尾切除术，术后恢复好。",
        }
    }

    def max_bytes(self, settings: Settings) -> int:
        """Whole records come at once."""
        return settings.max_notes_bytes

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The encounter and the text.  Raises `Refused`."""
        encounter: Encounter = body.encounter
        if not any(note.text.strip() for note in encounter.all_notes()):
            raise Refused("病历内容为空：没有任何病程记录或数据。(The encounter has no text.)")
        if len({note.id for note in encounter.notes}) < len(encounter.notes):
            raise Refused("notes 的 id 有重复，无法标注位置。(Note ids must be unique.)")
        if not body.draft.strip():
            raise Refused("没有待核对的文字，请给出 draft。(Give the text to check as draft.)")
        payload = body.model_dump(mode="json")
        return Submission(encounter.patient.id, encounter.id, payload, digest(payload))

    async def run(
        self, request: OmissionRequest, run: Run
    ) -> AsyncIterator[Event | OmissionReport]:
        """The whole report at once."""
        from assistant.tasks.omissions.run import checked

        if not run.kept:
            yield await asyncio.to_thread(checked, request.encounter, request.draft)
