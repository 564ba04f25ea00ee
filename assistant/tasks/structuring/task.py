"""后结构化: notes in, entities, relations, codes, the patient's view and features out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, Field, model_validator

from assistant.tasks.structuring.draft import NotesSummary, StructuredNotes
from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.features import FeatureTable
from assistant.tasks.structuring.patient import PatientView
from assistant.tasks.structuring.request import LongText, NotesToStructure, NoteToStructure
from assistant.tasks.structuring.template import shipped_templates
from assistant.work.events import Event
from assistant.work.task import Command, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class StructuringRequest(NotesToStructure):
    """One text, or the notes of one patient."""

    text: LongText | None = None
    notes: list[NoteToStructure] = Field(default_factory=list, max_length=500)

    @model_validator(mode="after")
    def _one_or_many(self) -> StructuringRequest:
        if (self.text is None) == (not self.notes):
            raise ValueError("请给出 text 或 notes 之一。(Give either text or notes.)")
        return self

    def as_notes(self) -> NotesToStructure:
        """The same with a single text as a note of its own."""
        notes = self.notes or [NoteToStructure(text=self.text or "")]
        return NotesToStructure.model_validate(
            self.model_dump(exclude={"text", "notes"}) | {"notes": notes}
        )


class StructuringResult(BaseModel):
    """What the notes came to; ``drafts`` tells of the draft without repeating it."""

    notes: list[StructuredNote] = Field(default_factory=list)
    patient: PatientView | None = None
    table: FeatureTable | None = None


class Structuring(Task[NotesToStructure, StructuredNotes]):
    """It takes no model's place: its recogniser is its own."""

    kind = "structured_notes"
    title = Title("后结构化", "Post-structuring")
    path = "structured-notes"
    order = 30
    request = NotesToStructure
    draft = StructuredNotes
    body = StructuringRequest
    waits = True
    bound = False
    needs_model = False
    reviewed = False
    listed = NotesSummary
    extras = StructuringResult
    page = "assistant.tasks.structuring.ui.page:PAGE"
    routes = "assistant.tasks.structuring.routes:add"
    checks = "assistant.tasks.structuring.checks:checks"
    evaluation = "bedside eval structuring"
    tool = "Entities, relations, codes and times of clinical notes, each with its place in the text"
    command = Command(
        "structure",
        "assistant.tasks.structuring.command:structure",
        "Entities, relations and codes of clinical notes; or a table of features of reports.",
        "Example: bedside structure ct_reports/ --template chest-ct",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "one note": {
            "patient_id": "pat-0003",
            "text": "发热、咳嗽3天，无胸痛。T 38.5℃，右下肺可闻及湿啰音。WBC 12.3×10^9/L↑。",
        },
        "a batch": {
            "patient_id": "pat-0003",
            "encounter_id": "enc-0003",
            "admitted_at": "2026-03-02T09:00:00",
            "template": "chest-ct",
            "notes": [
                {
                    "id": "ct-1",
                    "title": "胸部CT",
                    "written_at": "2026-03-03T10:00:00",
                    "text": "右肺上叶见一实性结节，大小约12mm×8mm，边缘毛刺。双侧胸腔未见积液。",
                },
                {"id": "n1", "text": "既往高血压10年，口服氨氯地平5mg qd。"},
            ],
        },
    }

    def max_bytes(self, settings: Settings) -> int:
        """Whole records come at once."""
        return settings.max_notes_bytes

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The notes, each with an id of its own.  Raises `Refused`."""
        request: NotesToStructure = (
            body.as_notes() if isinstance(body, StructuringRequest) else body
        )
        if len({note.id for note in request.notes}) < len(request.notes):
            raise Refused("notes 的 id 有重复，无法标注依据。(Note ids must be unique.)")
        if request.template and request.template not in shipped_templates():
            known = "、".join(shipped_templates())
            raise Refused(f"没有这个模板，可选：{known}。(No such template.)")
        return Submission(
            request.patient_id or "",
            request.encounter_id or "",
            request.model_dump(mode="json"),
            request.record_hash(),
        )

    async def run(
        self, request: NotesToStructure, run: Run
    ) -> AsyncIterator[Event | StructuredNotes]:
        """The whole result at once."""
        from assistant.tasks.structuring.run import structured

        if not run.kept:
            yield await structured(request, run.resources)

    def more(self, request: NotesToStructure, drafts: Sequence[StructuredNotes]) -> BaseModel:
        """The result itself."""
        if not drafts:
            return StructuringResult()
        done = drafts[0]
        return StructuringResult(notes=done.notes, patient=done.patient, table=done.table)
