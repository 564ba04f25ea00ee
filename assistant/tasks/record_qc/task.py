"""病历质控: what is missing, late or contradictory in an encounter, each with its place."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

from assistant.tasks.record_qc.draft import QcReport
from assistant.tasks.record_qc.record import CheckedEncounter
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class QcRequest(BaseModel):
    """An encounter to check."""

    model_config = ConfigDict(extra="forbid")

    encounter: CheckedEncounter


class RecordQc(Task[CheckedEncounter, QcReport]):
    """Rules alone: it needs no model and takes none's place."""

    kind = "record_qc"
    title = Title("病历质控", "Record QC")
    path = "record-qc"
    order = 40
    request = CheckedEncounter
    draft = QcReport
    body = QcRequest
    waits = True
    needs_model = False
    reviewed = False
    page = "assistant.tasks.record_qc.ui.page:PAGE"
    routes = "assistant.tasks.record_qc.routes:add"
    at_save = "assistant.tasks.record_qc.saving:alerts_of_note"
    evaluation = "bedside eval record-qc"
    tool = (
        "Quality control of the record of a stay: what is missing, late or contradictory, each "
        "with its place in the text, and a score"
    )
    command = Command(
        "qc",
        "assistant.tasks.record_qc.command:qc",
        "Quality control of an encounter (JSON as in the API): findings with their places, score.",
        "Example: bedside qc encounter.json --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "allergy": {
            "encounter": {
                "id": "enc-0004",
                "patient": {"id": "pat-0004", "name": "示例患者", "sex": "male", "age_years": 52},
                "admitted_at": "2026-03-02T09:00:00",
                "notes": [
                    {
                        "id": "n1",
                        "kind": "admission",
                        "title": "入院记录",
                        "written_at": "2026-03-02T10:30:00",
                        "author": "示例医师",
                        "text": "主诉：咳嗽、发热3天。\n既往史：青霉素过敏史。",
                    }
                ],
                "medications": [{"id": "m1", "name": "注射用哌拉西林钠他唑巴坦钠"}],
            }
        }
    }

    def max_bytes(self, settings: Settings) -> int:
        """Whole records come at once."""
        return settings.max_notes_bytes

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The encounter.  Raises `Refused`."""
        encounter: CheckedEncounter = body.encounter if isinstance(body, QcRequest) else body
        if not any(note.text.strip() for note in encounter.all_notes()):
            raise Refused("病历内容为空：没有任何病程记录或数据。(The encounter has no text.)")
        if len({note.id for note in encounter.notes}) < len(encounter.notes):
            raise Refused("notes 的 id 有重复，无法标注位置。(Note ids must be unique.)")
        return Submission(
            encounter.patient.id,
            encounter.id,
            encounter.model_dump(mode="json"),
            encounter.record_hash(),
        )

    async def run(self, request: CheckedEncounter, run: Run) -> AsyncIterator[Event | QcReport]:
        """The whole report at once."""
        from assistant.tasks.record_qc.run import checked

        if not run.kept:
            yield await checked(request, run.resources)
