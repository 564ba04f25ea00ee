"""知识问答: a question over the knowledge base, answered with citations."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from assistant.record.fields import Identifier
from assistant.review.fill_in import FillIn, NothingToFill, kept
from assistant.tasks.chat.draft import Answer
from assistant.tasks.chat.events import Passages
from assistant.tasks.chat.prompt import PROMPT, TASK
from assistant.work.events import Event
from assistant.work.task import PromptUse, Refused, Run, Submission, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings


class AskedQuestion(BaseModel):
    """The question alone, as it is kept."""

    question: str


class Question(BaseModel):
    """A question; the patient's ids bind the draft to a context."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=1_000)
    patient_id: Identifier
    encounter_id: Identifier | None = None


class Chat(Task[AskedQuestion, Answer]):
    """The passages come at once; the answer waits for the model."""

    kind = "chat"
    title = Title("知识问答", "Knowledge")
    path = "answers"
    order = 40
    request = AskedQuestion
    draft = Answer
    body = Question
    bound = False
    needs_knowledge = True
    events = (Passages,)
    page = "assistant.tasks.chat.ui.page:PAGE"
    tool = "An answer from the knowledge base, with the passages it cites"
    examples: ClassVar[Mapping[str, Any]] = {
        "rhinitis": {"question": "过敏性鼻炎要做什么检查？", "patient_id": "p1"}
    }

    def accept(self, body: Any, settings: Settings) -> Submission:
        """The question.  Raises `Refused`."""
        if not body.question.strip():
            raise Refused("问题为空。(The question is empty.)")
        return submission(body.question, body.patient_id, body.encounter_id or "")

    def prompts(self, settings: Settings) -> Sequence[PromptUse]:
        """One template, for the default engine."""
        return (PromptUse(settings.default_engine, TASK, PROMPT),)

    async def prepare(self, request: AskedQuestion, run: Run) -> AsyncIterator[Event | Answer]:
        """The passages."""
        from assistant.tasks.chat.run import passages

        yield await passages(request.question, run.resources)

    async def run(self, request: AskedQuestion, run: Run) -> AsyncIterator[Event | Answer]:
        """The passages, text as it is written, and the checked answer."""
        from assistant.tasks.chat.run import answered

        if not run.kept:
            async for step in answered(request.question, run):
                yield step

    def fill_in(self, draft: Answer, resolutions: Any, request: Any) -> FillIn:
        """The sentences in one paragraph."""
        text = "".join(kept(draft.statements, resolutions))
        if not text.strip():
            raise NothingToFill
        return FillIn(text=text, fields={"answer": text})


def submission(question: str, patient_id: str = "", encounter_id: str = "") -> Submission:
    """A question as it is kept.  Without a patient, its answer is seen by whoever asked alone."""
    digest = hashlib.sha256(question.encode()).hexdigest()
    return Submission(patient_id, encounter_id, {"question": question}, digest)
