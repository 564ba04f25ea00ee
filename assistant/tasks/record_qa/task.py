"""问病历: a question over one encounter, answered from the record with the places that say it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from assistant.review.fill_in import FillIn, NothingToFill, kept
from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.events import ToolUsed
from assistant.tasks.record_qa.prompt import PLAN, PROMPT, TASK
from assistant.tasks.record_qa.request import RecordQuestion
from assistant.work.events import Event
from assistant.work.task import Command, PromptUse, Refused, Run, Submission, Task, Title, digest

if TYPE_CHECKING:
    from assistant.settings import Settings


class RecordQa(Task[RecordQuestion, RecordAnswer]):
    """Routes over rows and notes answer at once; only what none takes goes to a model.

    It takes no model's place in the queue, as nearly every question needs none.
    """

    kind = "record_qa"
    title = Title("问病历", "Ask")
    path = "record-qa"
    order = 35
    request = RecordQuestion
    draft = RecordAnswer
    waits = True
    bound = False
    needs_model = False
    events = (ToolUsed,)
    page = "assistant.tasks.record_qa.ui.page:PAGE"
    routes = "assistant.tasks.record_qa.routes:add"
    evaluation = "bedside eval record-qa"
    tool = (
        "An answer from the record of one stay: results over time, drugs given, allergies, "
        "operations, what is mentioned or denied, scores; each with its place in the text"
    )
    command = Command(
        "ask",
        "assistant.tasks.record_qa.command:ask",
        "Ask the record of an encounter (JSON as in the API): answers with their places.",
        "Example: bedside ask encounter.json 近三次肌酐趋势？ 那血钾呢？ --json",
    )
    examples: ClassVar[Mapping[str, Any]] = {
        "potassium": {
            "question": "血钾最高多少，哪天？",
            "encounter": {
                "id": "enc-0005",
                "patient": {"id": "pat-0005", "sex": "male", "age_years": 52},
                "admitted_at": "2026-03-02T09:00:00",
                "observations": [
                    {
                        "id": "o1",
                        "name": "血钾",
                        "value": "3.2",
                        "unit": "mmol/L",
                        "reference": "3.5-5.3",
                        "flag": "low",
                        "at": "2026-03-02T10:00:00",
                    }
                ],
            },
        }
    }

    def max_bytes(self, settings: Settings) -> int:
        """Whole records come at once."""
        return settings.max_notes_bytes

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The question, with the record where it brings one.  Raises `Refused`."""
        asked: RecordQuestion = body
        if not asked.question.strip() and asked.confirm is None:
            raise Refused("问题为空。(The question is empty.)")
        payload = asked.model_dump(mode="json")
        encounter = asked.encounter
        if encounter is None:
            return Submission(
                asked.patient_id or "", asked.encounter_id or "", payload, digest(payload)
            )
        if not any(note.text.strip() for note in encounter.all_notes()):
            raise Refused("病历内容为空：没有任何病程记录或数据。(The encounter has no text.)")
        if len({note.id for note in encounter.notes}) < len(encounter.notes):
            raise Refused("notes 的 id 有重复，无法标注位置。(Note ids must be unique.)")
        return Submission(encounter.patient.id, encounter.id, payload, encounter.record_hash())

    def prompts(self, settings: Settings) -> Sequence[PromptUse]:
        """To plan over the tools, and to word what was found; for the default engine."""
        return (
            PromptUse(settings.default_engine, TASK, PLAN),
            PromptUse(settings.default_engine, TASK, PROMPT),
        )

    async def run(self, request: RecordQuestion, run: Run) -> AsyncIterator[Event | RecordAnswer]:
        """One answer; it is the turn of its conversation."""
        from assistant.tasks.record_qa.run import answered

        if not run.kept:
            async for step in answered(request, run):
                yield step

    def fill_in(self, draft: RecordAnswer, resolutions: Any, request: Any) -> FillIn:
        """The sentences, one a line."""
        text = "\n".join(kept(draft.statements, resolutions))
        if not text.strip():
            raise NothingToFill
        return FillIn(text=text, fields={"answer": text})
