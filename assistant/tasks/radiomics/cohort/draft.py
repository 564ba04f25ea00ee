"""What became of a cohort: its report, its model, and each case's number."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, Field

from assistant.draft import Draft
from assistant.tasks.radiomics.cohort.purpose import PURPOSE
from assistant.work.events import Event


class CohortProgress(Event):
    """How far the cross-validation is."""

    name: ClassVar[str] = "progress"

    done: int
    total: int


class CohortPart(Event):
    """A part of the report that there is now: ``flow``, then ``candidates`` and ``folds`` again and
    again; the whole report is the draft's."""

    name: ClassVar[str] = "part"

    part: str
    content: dict[str, Any]


class CohortSummary(Draft):
    """What is told where the report itself stands beside it."""

    kind: Literal["radiomics_cohort"] = "radiomics_cohort"
    notice: str = PURPOSE
    research_only: Literal[True] = True
    cases: int
    events: int
    lines: list[str] = Field(default_factory=list, description="What was found, in words.")
    seconds: float = 0.0


class CohortModel(CohortSummary):
    """Nothing of it can be filled in: it is for research.  ``model`` files are as base64."""

    report: dict[str, Any]
    model_file: str = Field(description="The model (skops), as base64.")
    predictions: str = Field(description="CSV: each case's number from a fold without it.")

    def plain_text(self) -> str:
        """What was found, as lines."""
        return "\n".join(self.lines)


class CohortResult(BaseModel):
    """The report as JSON; empty until it is there."""

    report: dict[str, Any] = Field(default_factory=dict)
