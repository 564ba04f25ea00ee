"""What a text leaves out of a stay, each thing with its place and a sentence that tells it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.course.event import EventKind, Importance
from assistant.draft import Draft
from assistant.record.evidence import Evidence


class StayEvent(BaseModel):
    """An event of the stay that the text tells."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: EventKind
    title: str = Field(description="The kind in Chinese.")
    importance: Importance
    text: str
    day: date | None = None
    evidence: list[Evidence] = Field(default_factory=list)


class Omission(StayEvent):
    """An event that the text lacks.  ``suggestion`` is a sentence of the record's words alone."""

    suggestion: str


class OmissionReport(Draft):
    """The events of a stay held against a text, what must be told first."""

    kind: Literal["omission_report"] = "omission_report"
    omissions: list[Omission] = Field(default_factory=list)
    covered: list[StayEvent] = Field(default_factory=list)
    seconds: float = 0.0

    def plain_text(self) -> str:
        """The omissions as lines."""
        return "\n".join(f"{o.title}：{o.suggestion}" for o in self.omissions)
