"""All that the program is told of the task."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.draft import ModelDraft, Statement
from assistant.work.events import Delta, Event
from assistant.work.task import Command, PromptUse, Run, Task, Title

if TYPE_CHECKING:
    from assistant.settings import Settings

PROMPT = "请用一句话问候：{text}"
DIGEST = sha256(PROMPT.encode()).hexdigest()


class Letter(BaseModel):
    """A letter to a patient."""

    model_config = ConfigDict(extra="forbid")

    patient_id: str = Field(pattern=r"^[A-Za-z0-9-]{1,64}$")
    encounter_id: str = ""
    text: str = Field(min_length=1, max_length=500)


class Greeting(ModelDraft):
    """What is said of the letter: its length at once, the greeting when the model has it."""

    kind: Literal["toy_greeting"] = "toy_greeting"
    part: Literal["length", "greeting"]
    statements: list[Statement]

    def place(self) -> tuple[str, str]:
        return self.model or "counted", self.part

    def key(self) -> str:
        return self.part

    def all_statements(self) -> list[Statement]:
        return self.statements


class Counted(Event):
    """The count, before any draft."""

    name: ClassVar[str] = "counted"

    characters: int


class Toy(Task[Letter, Greeting]):
    """The smallest task that uses everything."""

    kind = "toy"
    title = Title("问候信", "Greeting letter")
    path = "greetings"
    request = Letter
    draft = Greeting
    events = (Counted,)
    page = "toy_task.page:PAGE"
    command = Command(
        "greet", "toy_task.command:greet", "Greet a patient.", "Example: bedside greet"
    )
    tool = "A greeting for a patient"
    examples: ClassVar[Mapping[str, Any]] = {"hello": {"patient_id": "p1", "text": "您好"}}

    def prompts(self, settings: Settings) -> Sequence[PromptUse]:
        return (PromptUse(settings.default_engine, "toy", "plain", DIGEST),)

    async def prepare(self, request: Letter, run: Run) -> AsyncIterator[Event | Greeting]:
        yield Counted(characters=len(request.text))
        said = f"共{len(request.text)}字。"
        yield Greeting(
            part="length",
            statements=[Statement(id="n-1", text=said, status="supported", origin="record")],
        )

    async def run(self, request: Letter, run: Run) -> AsyncIterator[Event | Greeting]:
        done = {draft.key() for draft in run.kept}
        if "length" not in done:
            async for step in self.prepare(request, run):
                yield step
        if "greeting" not in done:
            engine, chat_model = await run.resources.default_model()
            assert engine is not None
            assert chat_model is not None
            text = ""
            async for chunk in chat_model.astream(PROMPT.format(text=request.text)):
                text += chunk.text
                yield Delta(text=chunk.text)
            yield Greeting(
                part="greeting",
                model=engine.card.name,
                prompt_version=f"toy/plain@{DIGEST[:8]}",
                statements=[Statement(id="g-1", text=text, status="unsupported")],
            )
