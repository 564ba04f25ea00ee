"""One statement under examination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from assistant.draft import Problem, ProblemKind
from assistant.grounding.source import Clause, Source
from knowledge.text.finding import Finding


@dataclass
class Check:
    """One statement under examination, and what was found so far."""

    text: str
    sources: Sequence[Source]
    findings: list[Finding]
    drugs: list[str]
    coverage: float
    patient_names: frozenset[str]
    patient_sex: str | None
    used: list[Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def use(self, source: Source) -> None:
        """Note a sentence as evidence."""
        if source not in self.used:
            self.used.append(source)

    def problem(self, kind: ProblemKind, text: str) -> None:
        """Note why the statement is not supported."""
        found = Problem(kind=kind, text=text)
        if found not in self.problems:
            self.problems.append(found)

    @cached_property
    def clauses(self) -> list[Clause]:
        """Every clause of every source."""
        return [clause for source in self.sources for clause in source.clauses]
