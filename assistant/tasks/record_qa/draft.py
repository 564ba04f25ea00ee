"""An answer from the record: statements, tables and a plot, each with its places."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.draft import ModelDraft, Statement
from assistant.record.evidence import Evidence, TextSpan

Outcome = Literal[
    "answered", "not_recorded", "missing", "refused", "not_understood", "failed", "to_confirm"
]


class Row(BaseModel):
    """One line of a table, with the places that show it."""

    model_config = ConfigDict(frozen=True)

    cells: list[str]
    evidence: list[Evidence] = Field(default_factory=list)


class Table(BaseModel):
    """Rows under their headings."""

    model_config = ConfigDict(frozen=True)

    title: str
    columns: list[str]
    rows: list[Row]


class Plot(BaseModel):
    """A drawing of the rows of a table; ``alt`` says the same in words."""

    model_config = ConfigDict(frozen=True)

    title: str
    alt: str
    svg: str


class Focus(BaseModel):
    """What a question was about: a next one that leaves it out means the same."""

    model_config = ConfigDict(frozen=True)

    kind: str = ""
    tests: list[str] = Field(default_factory=list)
    drugs: list[str] = Field(default_factory=list)
    terms: list[str] = Field(default_factory=list)
    calculator: str = ""
    day: str = ""
    count: int | None = None


StepOutcome = Literal["done", "failed", "timeout", "refused", "asks"]


class Step(BaseModel):
    """One call of a tool on the way to an answer.

    ``refused``: the call could not be carried out as it was; ``asks``: it waits for the doctor;
    ``found``: how many statements, or rows of tables, it gave.
    """

    model_config = ConfigDict(frozen=True)

    tool: str
    title: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict)
    outcome: StepOutcome = "done"
    found: int = 0
    seconds: float = 0.0


class Proposal(BaseModel):
    """A tool that costs minutes: it runs when the doctor sends these two back as ``confirm``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tool: str = Field(max_length=64)
    title: str = Field(default="", max_length=64)
    arguments: dict[str, Any] = Field(default_factory=dict)


class RecordAnswer(ModelDraft):
    """What the record says to a question.

    ``message`` is what there is to say of the answer itself (the record does not say, somebody
    else's name, what is missing); ``nearest`` are places for a question that no route takes;
    ``thinking`` is what a reasoning model wrote before its answer, shown folded and used nowhere;
    ``steps`` are the tools that a model called, ``proposal`` one that waits for the doctor.
    """

    kind: Literal["record_answer"] = "record_answer"
    question: str
    route: str = ""
    understood: str = ""
    outcome: Outcome = "answered"
    message: str = ""
    statements: list[Statement] = Field(default_factory=list)
    tables: list[Table] = Field(default_factory=list)
    plot: Plot | None = None
    nearest: list[TextSpan] = Field(default_factory=list)
    thinking: str = ""
    steps: list[Step] = Field(default_factory=list)
    proposal: Proposal | None = None
    focus: Focus = Field(default_factory=Focus)
    conversation_id: str = ""
    turn: int = 0

    def place(self) -> tuple[str, str]:
        """The section is the conversation: its turns are found by it."""
        return self.model or "copied", self.conversation_id

    def all_statements(self) -> list[Statement]:
        """The sentences of the answer."""
        return self.statements

    def plain_text(self) -> str:
        """Message, statements and tables as lines."""
        lines = [self.message] if self.message else []
        lines += [s.text for s in self.statements]
        for table in self.tables:
            lines += [table.title, *("  ".join(row.cells) for row in table.rows)]
        return "\n".join(lines)

    def spans(self) -> list[TextSpan]:
        """The places in the record that anything of it points to, each once."""
        found: dict[tuple[str, int, int], TextSpan] = {}
        places = [s.evidence for s in self.statements]
        places += [row.evidence for table in self.tables for row in table.rows]
        for one in (one for part in places for one in part):
            if isinstance(one, TextSpan):
                found.setdefault((one.note_id, one.start, one.end), one)
        return list(found.values())
