"""A sentence of the record or of a passage, with its facts read once, and its clauses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from assistant.grounding.facts import (
    Side,
    WrittenDate,
    dates,
    marks,
    modes,
    negated_phrases,
    sides,
)
from assistant.grounding.quantity import Quantity, Term, frequencies, quantities, routes
from assistant.grounding.segments import Segment
from assistant.grounding.wording import bigrams
from knowledge.text.finding import Finding

FindingsOf = Callable[[str, str], list[Finding]]
"""(text, note id) → findings with polarity, as `knowledge.text.extraction` gives them."""

DrugsOf = Callable[[str], list[str]]
"""text → names of drugs in it."""

_CLAUSE = re.compile(r"[^，,。；;：:\n]+")


@dataclass(frozen=True)
class Clause:
    """What stands between two commas."""

    text: str
    source: Source

    @cached_property
    def bigrams(self) -> set[str]:
        return bigrams(self.text)

    @cached_property
    def sides(self) -> list[Side]:
        return sides(self.text)

    @cached_property
    def quantities(self) -> list[Quantity]:
        return quantities(self.text)

    @cached_property
    def denied(self) -> set[str]:
        """Bigrams of what the clause denies."""
        return {b for n in negated_phrases(self.text) for b in bigrams(self.text[n.start :])}

    def denies(self, clause: str) -> bool:
        """Whether the beginning of what this clause denies stands in ``clause``."""
        return any(n.phrase[:2] in clause for n in negated_phrases(self.text))


@dataclass(frozen=True)
class Regimen:
    """A drug with what is said of it, up to the next drug: doses, frequencies, routes."""

    drug: str
    text: str

    @cached_property
    def quantities(self) -> list[Quantity]:
        return quantities(self.text)

    @cached_property
    def frequencies(self) -> list[Term]:
        return frequencies(self.text)

    @cached_property
    def routes(self) -> list[Term]:
        return routes(self.text)


def regimens(text: str, drugs: Sequence[str]) -> list[Regimen]:
    """What belongs to each drug: its clause from the drug before, up to the next drug's.

    Longer names win over parts of them.
    """
    places: list[tuple[int, int, str]] = []
    for drug in sorted(drugs, key=len, reverse=True):
        for match in re.finditer(re.escape(drug), text):
            if not any(a < match.end() and match.start() < b for a, b, _ in places):
                places.append((match.start(), match.end(), drug))
    places.sort()
    commas = [0, *(m.end() for m in re.finditer(r"[，,。；;：:、\n]", text))]
    starts: list[int] = []
    for number, (start, _, _) in enumerate(places):
        clause = max(c for c in commas if c <= start)
        before = places[number - 1][1] if number else 0
        starts.append(clause if clause >= before else start)
    return [
        Regimen(drug, text[start:end])
        for (_, _, drug), start, end in zip(
            places, starts, [*starts[1:], len(text)], strict=bool(places)
        )
    ]


@dataclass(frozen=True)
class Source:
    """One sentence that may support a statement."""

    segment: Segment
    findings_of: FindingsOf
    drugs_of: DrugsOf

    @cached_property
    def bigrams(self) -> set[str]:
        return bigrams(self.segment.text)

    @cached_property
    def quantities(self) -> list[Quantity]:
        return [q for clause in self.clauses for q in clause.quantities]

    @cached_property
    def findings(self) -> list[Finding]:
        """Findings of the sentence, read under its section's heading."""
        heading = f"{self.segment.section}：" if self.segment.section else ""
        if heading and self.segment.text.startswith(self.segment.section):
            heading = ""
        return self.findings_of(heading + self.segment.text, self.segment.note_id)

    @cached_property
    def regimens(self) -> list[Regimen]:
        return regimens(self.segment.text, self.drugs_of(self.segment.text))

    @cached_property
    def clauses(self) -> list[Clause]:
        return [Clause(m[0], self) for m in _CLAUSE.finditer(self.segment.text) if m[0].strip()]

    @cached_property
    def modes(self) -> frozenset[str]:
        return modes(self.segment.text)

    @cached_property
    def marks(self) -> dict[str, str]:
        return marks(self.segment.text)

    @cached_property
    def is_plan(self) -> bool:
        """Whether the sentence says what is to be done, not what is."""
        return self.segment.section == "诊疗计划"

    @cached_property
    def dates(self) -> list[WrittenDate]:
        """Dates in the text; where it has none, the day on which it was written."""
        written = dates(self.segment.text)
        day = self.segment.written_on
        if not written and day:
            return [WrittenDate(day.year, day.month, day.day, 0, 0)]
        return written


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


def clause_ranges(text: str) -> list[tuple[int, int]]:
    """Half-open ranges of the clauses of a statement."""
    return [(m.start(), m.end()) for m in _CLAUSE.finditer(text) if m[0].strip()]


def clause_at(text: str, start: int) -> str:
    """The clause that holds the offset ``start``."""
    return next((text[a:b] for a, b in clause_ranges(text) if a <= start < b), text)
