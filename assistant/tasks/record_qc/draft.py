"""What quality control says of an encounter: findings, each with its place, and a score."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.draft import Draft
from assistant.record.evidence import Evidence

Severity = Literal["info", "warning", "critical"]
Grade = Literal["甲", "乙", "丙"]


class QcFinding(BaseModel):
    """One thing that is wrong, or missing, in the record.

    ``kind`` names the rule; ``settle`` says what would settle it.  Something that is missing has
    no place of its own: ``evidence`` then shows where the record makes it due, if anywhere.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    title: str
    severity: Severity
    origin: Literal["rule", "model"] = "rule"
    message: str
    settle: str = ""
    points: float = Field(default=0, ge=0, description="What it costs of the score.")
    evidence: list[Evidence] = Field(default_factory=list)


class QcReport(Draft):
    """The findings of one encounter, the worst first."""

    kind: Literal["record_qc_report"] = "record_qc_report"
    findings: list[QcFinding] = Field(default_factory=list)
    score: float = Field(default=100, ge=0, le=100)
    grade: Grade = "甲"
    rules: str = Field(default="", description="The rule set, by its name and hash.")
    skipped: list[str] = Field(
        default_factory=list, description="Checks that the rule set turns off."
    )
    adjusted: list[str] = Field(
        default_factory=list, description="Kinds that are lowered in this department."
    )
    seconds: float = 0.0

    def plain_text(self) -> str:
        """The findings as lines."""
        return "\n".join(f"{f.title}：{f.message}" for f in self.findings)
