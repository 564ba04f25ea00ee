"""患者版: a discharge record in, its advice in plain language out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.encounter import Encounter
from assistant.tasks.patient_version.draft import PatientVersion
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title, digest

if TYPE_CHECKING:
    from assistant.settings import Settings

MOST = 100_000
"""Characters of a discharge record, at most."""


class PatientVersionRequest(BaseModel):
    """An encounter, and the text of its discharge record where a doctor has written one."""

    model_config = ConfigDict(extra="forbid")

    encounter: Encounter
    record: str = Field(
        default="",
        max_length=MOST,
        description="The discharge record as it was signed; without it, what one would copy.",
    )


class PatientVersions(Task[PatientVersionRequest, PatientVersion]):
    """Tables and rules alone: it needs no model and takes none's place."""

    kind = "patient_version"
    title = Title("患者版", "For the patient")
    path = "patient-versions"
    order = 26
    request = PatientVersionRequest
    draft = PatientVersion
    waits = True
    needs_model = False
    tool = (
        "The advice of a discharge record in plain language for the patient: drugs, visits, when "
        "to come at once; numbers as they are written"
    )
    command = Command(
        "patient-version",
        "assistant.tasks.patient_version.command:patient_version",
        "The advice of a discharge record in plain language, as a page to print.",
        "Example: bedside patient-version encounter.json --record signed.txt --html advice.html",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "cholecystectomy": {
            "encounter": {
                "id": "enc-0006",
                "patient": {"id": "pat-0006", "name": "示例患者", "sex": "female"},
                "admitted_at": "2026-03-02T09:00:00",
                "discharged_at": "2026-03-06T10:00:00",
            },
            "record": "出院诊断：胆囊结石伴慢性胆囊炎。\n出院医嘱：低脂饮食，1个月后门诊复查。",
        }
    }

    def max_bytes(self, settings: Settings) -> int:
        """Whole records come at once."""
        return settings.max_notes_bytes

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The encounter and the record.  Raises `Refused`."""
        encounter: Encounter = body.encounter
        if not body.record.strip() and not any(n.text.strip() for n in encounter.all_notes()):
            raise Refused(
                "没有出院记录，也没有病程记录或数据。(There is neither a record nor any note.)"
            )
        if len({note.id for note in encounter.notes}) < len(encounter.notes):
            raise Refused("notes 的 id 有重复，无法标注位置。(Note ids must be unique.)")
        payload = body.model_dump(mode="json")
        return Submission(encounter.patient.id, encounter.id, payload, digest(payload))

    async def run(
        self, request: PatientVersionRequest, run: Run
    ) -> AsyncIterator[Event | PatientVersion]:
        """The whole draft at once."""
        from assistant.tasks.patient_version.run import written

        if not run.kept:
            yield await asyncio.to_thread(written, request.encounter, request.record)
