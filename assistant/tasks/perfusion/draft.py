"""What is said of a study's perfusion: volumes, regions, report, pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from assistant.draft import Draft, Statement
from assistant.tasks.perfusion.result import PerfusionFindings


class PerfusionReport(Draft):
    """Nothing of it can be filled in: it is for research."""

    kind: Literal["perfusion"] = "perfusion"
    research_only: Literal[True] = True
    findings: PerfusionFindings
    statements: list[Statement]
    report: str
    pictures: dict[str, str] = Field(
        default_factory=dict, description="Attachments by name: cbf, cbv, …, lesion, curves."
    )
    seconds: float = 0.0

    def all_statements(self) -> list[Statement]:
        """The sentences of the report."""
        return self.statements
