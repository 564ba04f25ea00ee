"""An answer over the knowledge base."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assistant.draft import ModelDraft, Statement


class Answer(ModelDraft):
    """A chat answer over the knowledge base."""

    kind: Literal["answer"] = "answer"
    question: str
    model: str
    statements: list[Statement] = Field(default_factory=list)
    passages: list[str] = Field(default_factory=list)

    def all_statements(self) -> list[Statement]:
        """The sentences of the answer."""
        return self.statements
