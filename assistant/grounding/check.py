"""One statement under examination."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from assistant.draft import Problem, ProblemKind
from assistant.grounding.source import Clause, Reading, Source

_LEAD = re.compile(
    r"(?:疗程|连用|持续|连续|应用|治疗|共用?|每次|大?约|初始|目前|[升降增减]至|最[高低]|[×x*]|为|至|达|时)+"
    r"[ \t]*\Z"
)
"""What leads to an amount and says nothing by itself."""


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

    named: list[tuple[int, int]] = field(default_factory=list)
    """Where the names of tests stand whose values the record has: 左室射血分数 is no side."""

    verified: list[tuple[int, int]] = field(default_factory=list)
    """Where facts stand in the statement that the record was found to have."""

    computed: list[tuple[int, int]] = field(default_factory=list)
    """Where a change stands that the record tells by values or words: 体重下降3kg."""

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

    def is_computed(self, at: int) -> bool:
        """Whether what stands at ``at`` is told by values of the record."""
        return any(a <= at < b for a, b in self.computed)

    def verify(self, start: int, end: int) -> None:
        """Note that the record has the fact at ``[start, end)``, with the words that lead to it."""
        lead = _LEAD.search(self.text, max(0, start - 6), start)
        self.verified.append((lead.start() if lead else start, end))

    @cached_property
    def clauses(self) -> list[Clause]:
        """Every clause of every source."""
        return [clause for source in self.sources for clause in source.clauses]

    @cached_property
    def bigrams(self) -> set[str]:
        """The pairs of content characters of all sources."""
        return {pair for source in self.sources for pair in source.bigrams}
