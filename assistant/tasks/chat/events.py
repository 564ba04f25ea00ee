"""What 知识问答 tells beside its answer."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel

from assistant.work.events import Event


class ShownPassage(BaseModel):
    """A passage of the knowledge base."""

    id: str
    title: str
    text: str
    source: str


class Passages(Event):
    """The passages, which come at once, before any generated text."""

    name: ClassVar[str] = "passages"

    passages: list[ShownPassage]
