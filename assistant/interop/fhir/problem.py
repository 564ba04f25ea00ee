"""What could not be read, and where: for whoever sent it, never for a log."""

from __future__ import annotations

from collections import Counter
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["error", "warning", "information"]
MOST_PROBLEMS = 500


class Problem(BaseModel):
    """One thing that did not become part of the record, or not wholly.

    ``error``: a field that cannot be read; ``warning``: something is missing that may matter;
    ``information``: left out on purpose, such as a refuted diagnosis.
    """

    model_config = ConfigDict(frozen=True)

    resource: str = Field(description="Type and id, such as Observation/o1.")
    severity: Severity
    code: str = Field(description="What kind of problem, for a program.")
    detail: str = Field(description="The same for a person, without any of the patient's data.")


class Problems:
    """Collects problems; beyond `MOST_PROBLEMS` they are only counted."""

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._more: Counter[str] = Counter()

    def add(self, resource: str, severity: Severity, code: str, detail: str) -> None:
        """Keep one, once."""
        problem = Problem(resource=resource, severity=severity, code=code, detail=detail)
        if len(self._found) >= MOST_PROBLEMS:
            self._more[severity] += 1
        elif problem not in self._found[-50:]:
            self._found.append(problem)

    def all(self) -> list[Problem]:
        """Those kept, then one that says how many more there were."""
        if not self._more:
            return list(self._found)
        more = sum(self._more.values())
        worst: Severity = next(s for s in ("error", "warning", "information") if self._more[s])
        rest = Problem(
            resource="",
            severity=worst,
            code="more",
            detail=f"另有 {more} 个问题未列出。({more} more problems are not listed.)",
        )
        return [*self._found, rest]
