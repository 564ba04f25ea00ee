"""The advice for a patient: short lines, each with its place in the record."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.draft import Draft, Statement

PartName = Literal["diagnoses", "drugs", "visits", "alarms", "care", "pending"]
PART_ZH: dict[PartName, str] = {
    "diagnoses": "这次住院是因为",
    "drugs": "回家用的药",
    "visits": "什么时候再来看",
    "alarms": "出现这些情况，马上看医生",
    "care": "平时注意",
    "pending": "还没有出来的结果",
}


class Part(BaseModel):
    """Lines under a heading that a patient understands."""

    name: PartName
    title: str
    statements: list[Statement] = Field(default_factory=list)


class Level(BaseModel):
    """How hard a text is to read.

    ``mean`` and ``longest``: characters of a sentence; ``terms``: medical words that it uses, of
    which ``unexplained`` have no plain word beside them.
    """

    model_config = ConfigDict(frozen=True)

    sentences: int = 0
    mean: float = 0.0
    longest: int = 0
    terms: int = 0
    unexplained: list[str] = Field(default_factory=list)
    grade: Literal["easy", "fair", "hard"] = "fair"


class PatientVersion(Draft):
    """A draft for the doctor to check before the patient gets it.

    ``before`` is how hard the advice is to read as the record has it, ``level`` as it stands here;
    ``html`` is a page to print, complete in itself.
    """

    kind: Literal["patient_version"] = "patient_version"
    parts: list[Part] = Field(default_factory=list)
    before: Level = Field(default_factory=Level)
    level: Level = Field(default_factory=Level)
    warnings: list[str] = Field(default_factory=list)
    html: str = ""
    seconds: float = 0.0

    def all_statements(self) -> list[Statement]:
        """Every line."""
        return [s for part in self.parts for s in part.statements]

    def plain_text(self) -> str:
        """Headings and lines."""
        return "\n".join(
            line for part in self.parts for line in (part.title, *(s.text for s in part.statements))
        )
