"""The one value of its kind: no other of the record can be meant, however it is led to.

现场共用肾上腺素三次 tells 肾上腺素1mg静推3次, whose number has other words right before it.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.grounding.check import Check
from assistant.grounding.measured import Measured
from assistant.grounding.source import Clause, Source
from assistant.grounding.stance import NOT_THERE

_SHARED = 2
"""Pairs of characters that the clauses must share at least."""


def told_alone(
    said: Measured,
    clause: Clause,
    check: Check,
    same: Sequence[tuple[Source, Measured]],
    written: Sequence[tuple[Source, Measured]],
) -> list[Source]:
    """The sentence of ``same`` whose value is the only one of its kind in the record, in a clause
    that is the most alike to the statement's; empty where another value could be meant."""
    if not same or not said.quantity.unit or said.quantity.ordinal:
        return []
    kind = [
        m
        for _, m in written
        if said.quantity.unit.converts_to(m.quantity.unit) or not m.quantity.unit
    ]
    alike = [m for m in kind if m.quantity.unit]
    if not alike or any(not said.says_the_same(m) for m in alike):
        return []
    best = max((len(clause.bigrams & c.bigrams) for c in check.clauses), default=0)
    if best < _SHARED:
        return []
    return [source for source, m in same if _is_beside(said, m, source, clause, best)]


def _is_beside(said: Measured, found: Measured, source: Source, clause: Clause, best: int) -> bool:
    if said.concept != found.concept and said.concept and found.concept:
        return False
    if found.reference or found.quantity.ordinal:
        return False
    place = source.clause_of(found.quantity.start)
    if place is None or (place.stances & NOT_THERE) - clause.stances:
        return False
    mine, theirs = ({s.side for s in one.sides} for one in (clause, place))
    if mine and theirs and not mine & theirs:
        return False
    return len(clause.bigrams & place.bigrams) == best
