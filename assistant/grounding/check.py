"""One statement under examination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from assistant.draft import Problem, ProblemKind
from assistant.grounding.source import Clause, Reading, Source


@dataclass
class Check:
    """One statement under examination, and what was found so far."""

    said: Reading
    sources: Sequence[Source]
    coverage: float
    patient_names: frozenset[str]
    patient_sex: str | None
    used: list[Source] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    taken: set[tuple[int, int]] = field(default_factory=set)
    """Where amounts of regimens stand in the statement, which are no results."""

    verified: list[tuple[int, int]] = field(default_factory=list)
    """Where facts stand in the statement that the record was found to have."""

    @property
    def text(self) -> str:
        """The statement."""
        return self.said.text

    def use(self, source: Reading) -> None:
        """Note a sentence as evidence."""
        if isinstance(source, Source) and source not in self.used:
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
