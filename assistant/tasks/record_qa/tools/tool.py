"""A tool: a typed function over the record, the knowledge base or a task, with evidence."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict

from assistant.tasks.record_qa.draft import RecordAnswer
from assistant.tasks.record_qa.reading import RecordReading
from assistant.tasks.record_qa.tests import table
from assistant.work.task import Run

SECONDS = 20.0
"""After so long a tool that only reads is taken to hang."""


class Arguments(BaseModel):
    """The base of every tool's arguments: what is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class NoArguments(Arguments):
    """A tool that is asked for nothing."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What tools work with: the record of one stay, and the context and means of the request.

    No tool takes a patient or a stay as an argument: it can reach no other record than this one.
    """

    reading: RecordReading
    run: Run | None = None


ArgumentsT = TypeVar("ArgumentsT", bound=Arguments)
Work = Callable[[Desk, Any], Awaitable[RecordAnswer]]


def described(name: str) -> tuple[str, str]:
    """Title and description of a tool, from the table of tools."""
    return next((row[1], row[2]) for row in table("tools.tsv") if row[0] == name)


@dataclass(frozen=True, slots=True)
class Tool:
    """One function.

    ``description`` is for the model, ``title`` for the doctor.  ``asks_first``: it takes minutes or
    a model's place, so it runs only when the doctor has agreed; ``seconds``: how long it may take.
    """

    name: str
    title: str
    description: str
    arguments: type[Arguments]
    work: Work
    asks_first: bool = False
    seconds: float = SECONDS

    def as_function(self) -> dict[str, Any]:
        """As the OpenAI API describes a function."""
        schema = self.arguments.model_json_schema()
        schema.pop("title", None)
        schema.pop("description", None)
        for one in schema.get("properties", {}).values():
            one.pop("title", None)
        function = {"name": self.name, "description": self.description, "parameters": schema}
        return {"type": "function", "function": function}
