"""How like a clause of the record is to one of a statement."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.grounding.source import Clause, clause_ranges
from assistant.grounding.wording import bigrams


class Likeness:
    """How like a clause of a source is to a clause of a statement.

    Shared bigrams with the clause count once, and those of its sentence with the clauses next to
    the statement's (and the heading over them) again, so that the same finding in another
    examination does not win, nor the rest of a statement that two sentences were merged into.
    """

    def __init__(self, text: str, clause: str) -> None:
        self.sentence = bigrams(_near(text, clause))
        self.clause = bigrams(clause)

    def score(self, clause: Clause) -> int:
        """Higher is more alike; 0 is nothing in common."""
        return len(self.clause & clause.bigrams) + len(self.sentence & clause.source.bigrams)

    def best(self, clauses: Sequence[Clause]) -> int:
        """The highest score; -1 without clauses."""
        return max((self.score(clause) for clause in clauses), default=-1)

    def coverage(self, clauses: Sequence[Clause]) -> float:
        """How much of the clause's own words the clause with the most of them has, from 0 to 1."""
        most = max((len(self.clause & clause.bigrams) for clause in clauses), default=0)
        return most / len(self.clause) if self.clause else 0.0

    def most_alike(self, clauses: Sequence[Clause]) -> list[Clause]:
        """The clauses with the highest score, if that is more than nothing."""
        scores = [self.score(clause) for clause in clauses]
        best = max(scores, default=0)
        pairs = zip(clauses, scores, strict=True)
        return [clause for clause, score in pairs if score == best] if best > 0 else []


def _near(text: str, clause: str) -> str:
    """The clause with its neighbours and the last heading before them; ``text`` without it."""
    ranges = clause_ranges(text)
    at = next((n for n, (a, b) in enumerate(ranges) if text[a:b] == clause), None)
    if at is None:
        return text
    first, last = max(0, at - 1), min(len(ranges) - 1, at + 1)
    heads = [text[a:b] for a, b in ranges[:first] if text[b : b + 1] in ("：", ":")]
    return "，".join([*heads[-1:], text[ranges[first][0] : ranges[last][1]]])
