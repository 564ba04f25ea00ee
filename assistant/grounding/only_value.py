"""The one value of its kind: no other of the record can be meant, however it is led to.

现场共用肾上腺素三次 tells 肾上腺素1mg静推3次, whose number has other words right before it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.grounding.check import Check
from assistant.grounding.measured import Measured
from assistant.grounding.measuring import CALENDAR
from assistant.grounding.source import Clause, Source
from assistant.grounding.stance import NOT_THERE

_SHARED = 2
"""Pairs of characters that the clauses must share at least."""

_AFTER = re.compile(r"[ ]?之?后")


def told_alone(
    said: Measured,
    clause: Clause,
    check: Check,
    same: Sequence[tuple[Source, Measured]],
    written: Sequence[tuple[Source, Measured]],
) -> list[Source]:
    """The sentence of ``same`` whose value alone can be meant: the only one of its kind in the
    record, or in the one clause that is most alike to the statement's; empty where another could
    be.  What a test is named for must be found by its name."""
    if not same or said.concept or not said.quantity.unit:
        return []
    beside = _with_its_value(said, clause, check, same)
    if beside or said.quantity.ordinal:
        return beside
    scores = [(len(clause.bigrams & c.bigrams), c) for c in check.clauses]
    best = max((score for score, _ in scores), default=0)
    nearest = [c for score, c in scores if score == best] if best >= _SHARED else []
    kind = [(s, m) for s, m in written if _is_of_kind(said, m)]
    only = all(said.says_the_same(m) for _, m in kind)
    found = []
    for source, one in same:
        place = source.clause_of(one.quantity.start)
        if place is None or not said.fits(one) or not _may_be(one, place, clause):
            continue
        if only and (
            (_names_itself(source.text, one) and _names_itself(check.text, said))
            or place in nearest
            or _goes_by(said, one, clause, check.text, source.text)
        ):
            found.append(source)
        elif nearest == [place]:
            here = [m for s, m in kind if s.clause_of(m.quantity.start) is place]
            if all(said.says_the_same(m) for m in here):
                found.append(source)
    return found


def _names_itself(text: str, one: Measured) -> bool:
    """Whether the unit says what is counted: 34岁 is an age, and so are the months of 2岁3个月 and
    the weeks of 孕34周."""
    return one.quantity.unit_text == "岁" or text[: one.quantity.start].endswith(("岁", "孕"))


def _goes_by(said: Measured, one: Measured, clause: Clause, text: str, written: str) -> bool:
    """Whether both have a word beside them in common, are led to in the same way, or the clause has
    ordinary words alone: 共用3天."""
    return (
        bool((said.before | said.after) & (one.before | one.after))
        or not clause.telling
        or (_is_after(text, said) and _is_after(written, one))
        or (_is_window(text, said) and _is_window(written, one))
    )


def _with_its_value(
    said: Measured, clause: Clause, check: Check, same: Sequence[tuple[Source, Measured]]
) -> list[Source]:
    """The sentences of ``same`` in whose clause the value of the test stands that the statement
    names beside the day: 第5天淀粉酶180U/L."""
    if said.quantity.unit.code not in CALENDAR:
        return []
    values = [
        m
        for m in check.said.measured
        if m.concept and check.said.clause_of(m.quantity.start) is clause
    ]
    return [
        source
        for source, one in same
        if (place := source.clause_of(one.quantity.start))
        and not (place.stances & NOT_THERE) - clause.stances
        and values
        and all(
            any(
                v.concept == m.concept and v.quantity.same(m.quantity)
                for m in source.measured
                if source.clause_of(m.quantity.start) is place
            )
            for v in values
        )
    ]


def _is_of_kind(said: Measured, other: Measured) -> bool:
    return said.quantity.unit.converts_to(other.quantity.unit) and (
        _is_year(said) == _is_year(other)
    )


_YEARS = range(1900, 2100)


def _is_year(one: Measured) -> bool:
    """Whether it is a year of the calendar: 2023年."""
    quantity = one.quantity
    return quantity.unit.code == "a" and quantity.shape == "one" and quantity.low in _YEARS


def _is_after(text: str, one: Measured) -> bool:
    return _AFTER.match(text, one.quantity.tail or one.quantity.end) is not None


def _is_window(text: str, one: Measured) -> bool:
    """Whether it is how far a clause and those behind it look back: 近24h呕吐3次，腹泻6次."""
    return text[: one.quantity.start].rstrip().endswith("近") and one.quantity.unit.measures("time")


def _may_be(found: Measured, place: Clause, clause: Clause) -> bool:
    """Whether the record's clause means its value as the statement does, of the same side."""
    if found.concept or found.reference or found.quantity.ordinal:
        return False
    if (place.stances & NOT_THERE) - clause.stances:
        return False
    mine, theirs = ({s.side for s in one.sides} for one in (clause, place))
    return not mine or not theirs or bool(mine & theirs)
