"""Which number of the record is meant: of those of its kind the one with the same words.

治疗5天后气促减轻 is the 5天 of 5天后气促缓解, whatever else has days: the words around a number
of the statement are held against those around each number of its kind, and no other value, nor a
clause without one, may have more of them.  A time that leads a clause is that of the clauses behind
it, up to the next time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from assistant.grounding.check import Check
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import CALENDAR
from assistant.grounding.source import Clause, Reading, Source
from assistant.grounding.wording import bigrams, blanked, pairs_of, telling

TIMES = CALENDAR | {"h", "min", "s"}
_LEADS = re.compile(r"[ ]?(?:以?[后内]|时|起)")
_SENTENCE_END = re.compile(r"[。；;\n]")


class Place:
    """A number with the words around it: the nearest, and all that it is told of."""

    def __init__(self, reading: Reading, value: Measured) -> None:
        self.value = value
        self._reading = reading
        self.clause = reading.clause_of(value.quantity.start)

    @property
    def leads(self) -> bool:
        """Whether it is a time that holds for what stands behind it."""
        quantity = self.value.quantity
        if quantity.unit.code not in TIMES:
            return False
        end, clause = quantity.tail or quantity.end, self.clause
        first = clause is not None and clause.start == (quantity.lead or quantity.start)
        return first or quantity.ordinal or _LEADS.match(self._reading.text, end) is not None

    @cached_property
    def near(self) -> set[str]:
        """The words between the numbers beside it, in its clause."""
        if self.clause is None:
            return set()
        own = self.value.quantity
        begin, end = self.clause.start, self.clause.start + len(self.clause.text)
        for other in self._reading.measured:
            place = other.quantity
            if place.end <= own.start:
                begin = max(begin, place.end)
            elif place.start >= own.end:
                end = min(end, place.lead or place.start)
        words = telling(blanked(self._reading.text, [(own.start, own.end)])[begin:end])
        return pairs_of(words)

    @cached_property
    def words(self) -> set[str]:
        """Those of its clause, of the clauses that a time leads, or of the clause before one that
        has none."""
        if self.clause is None:
            return set()
        clauses = self._reading.clauses
        at = next(n for n, c in enumerate(clauses) if c is self.clause)
        start, end = self.clause.start, self.clause.start + len(self.clause.text)
        named = {f.concept for f in self._reading.findings if start <= f.span.start < end}
        found = self._told(self.clause) | named
        if self.leads:
            for after in clauses[at + 1 :]:
                between = self._reading.text[self.clause.start : after.start]
                if _SENTENCE_END.search(between) or self._is_timed(after):
                    break
                found = found | self._told(after)
        start = self.value.quantity.start
        for regimen in self._reading.regimens:
            # 第3天停用: of the drug that is spoken of.
            if regimen.drug.start < start < regimen.end:
                found = found | bigrams(regimen.drug.name)
        if len(found) < 2 and at and not self.leads:
            # 左侧胸腔积液，深约5.2cm: the clause before says of what.
            found = found | self._told(clauses[at - 1])
        return found

    def _told(self, clause: Clause) -> set[str]:
        """The words of a clause; the units of its times say nothing of what they are of."""
        end = clause.start + len(clause.text)
        numbers = [m.quantity for m in self._reading.measured if m.quantity.unit.code in TIMES]
        spans = [(q.start, q.end) for q in numbers if clause.start <= q.start < end]
        return pairs_of(telling(blanked(self._reading.text, spans)[clause.start : end]))

    def _is_timed(self, clause: Clause) -> bool:
        end = clause.start + len(clause.text)
        return any(
            clause.start <= m.quantity.start < end and Place(self._reading, m).leads
            for m in self._reading.measured
        )

    def likeness(self, other: Place) -> int:
        """How many words both have around them; the nearest count twice."""
        return (
            len(self.words & other.words)
            + len(self.near & other.words)
            + len(self.near & other.near)
        )


def bound(
    said: Measured,
    check: Check,
    same: Sequence[tuple[Source, Measured]],
    written: Sequence[tuple[Source, Measured]],
) -> list[Source]:
    """The sentences of ``same`` whose value stands with the words of the statement's as no other of
    its kind does; empty where another is as like, or a clause without one."""
    place = Place(check.said, said)
    if not same:
        return []
    if not place.words:
        # 起病3小时: ordinary words alone, so that it must be the one in its unit.
        alike = [m for _, m in written if m.quantity.unit == said.quantity.unit]
        only = all(
            said.says_the_same(m) for m in alike if m.quantity.ordinal == said.quantity.ordinal
        )
        return [source for source, _ in same] if only else []
    told = {(id(s), m.quantity.start) for s, m in same}
    scores = [(place.likeness(Place(s, m)), s) for s, m in same]
    best = max(score for score, _ in scores)
    rivals = [
        place.likeness(Place(s, m))
        for s, m in written
        if (id(s), m.quantity.start) not in told and _is_rival(said, m)
    ]
    if not best or best <= max(rivals, default=0):
        return []
    own = place.clause.telling if place.clause else set()
    shared = max((len(own & Place(s, m).words) for s, m in same), default=0)
    if any(len(own & c.telling) > shared for c in check.clauses):
        return []
    return [source for score, source in scores if score == best]


def _is_rival(said: Measured, other: Measured) -> bool:
    mine, theirs = said.quantity, other.quantity
    return (
        not other.reference
        and mine.unit.converts_to(theirs.unit)
        and mine.ordinal == theirs.ordinal
        and (bool(mine.unit) or mine.shape == theirs.shape)
    )
