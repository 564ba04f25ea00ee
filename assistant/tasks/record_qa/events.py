"""What 问病历 tells beside its answer."""

from __future__ import annotations

from typing import ClassVar

from assistant.work.events import Event


class ToolUsed(Event):
    """A tool that a model called, and how that ended."""

    name: ClassVar[str] = "tool_used"

    tool: str
    title: str
    outcome: str
