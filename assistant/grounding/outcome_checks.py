"""What became of a thing must be told of it: 腰痛消失，麻木减轻 tells of no 麻木消失.

A word of an outcome is never covered by the rest of its clause: the clause of the record that is
about the same must have it, another word for it, or a value that says so.
"""

from __future__ import annotations

import re
from functools import cache

from assistant.grounding.check import Check
from assistant.grounding.opposites import members
from assistant.grounding.source import Clause
from assistant.grounding.tables import rows
from assistant.grounding.wording import bigrams, blanked


def outcome_rows() -> list[list[str]]:
    """The rows of the table: pattern of an outcome, what may tell it in the record, an example."""
    return rows("outcomes.tsv")


@cache
def _outcomes() -> list[tuple[re.Pattern[str], re.Pattern[str]]]:
    return [(re.compile(row[0]), re.compile(f"{row[0]}|{row[1]}")) for row in outcome_rows()]


def check_outcomes(check: Check) -> None:
    """Each outcome must be told by the clauses that share most of what it is the outcome of."""
    for clause in check.said.clauses:
        for said, telling in _outcomes():
            spans = [(a - clause.start, b - clause.start) for a, b in check.verified]
            hit = said.search(blanked(clause.text, spans))
            if hit is None:
                continue
            if not any(telling.search(c.source.text, c.start) for c in _about(clause, hit, check)):
                check.problem("no_evidence", clause.text)


def check_groups(check: Check) -> None:
    """低级别上皮内瘤变 is no 高级别: of a group of kinds that exclude one another, a sentence that
    shares words and has another kind than the statement's must have the statement's as well."""
    for clause in check.said.clauses:
        for one, others in members(clause.text):
            if any(re.search(one, s.text) for s in check.sources):
                continue
            words = clause.bigrams
            for source in check.sources:
                shared = len(words & source.bigrams)
                if shared >= _SHARED and any(re.search(other, source.text) for other in others):
                    check.problem("negation", clause.text)
                    break


_SHARED = 2


def _about(said: Clause, outcome: re.Match[str], check: Check) -> list[Clause]:
    words = bigrams(said.text[: outcome.start()]) or bigrams(said.text[outcome.end() :])
    shared = [(len(words & c.bigrams), c) for c in check.clauses]
    best = max((count for count, _ in shared), default=0)
    return [c for count, c in shared if count == best]
