"""By how much a value changed: 体重下降3kg is computed from 72kg and 69kg of the record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from assistant.grounding.measured import Measured
from assistant.grounding.source import Source

_BY = re.compile(
    r"(?P<down>下降|降低|减少|减轻|减低|回落|缩小|降)(?:了|约|幅度?为?)?[ ]?\Z"
    r"|(?P<up>上升|升高|增加|增高|增长|回升|增大|升)(?:了|约|幅度?为?)?[ ]?\Z"
)


def difference(
    text: str,
    said: Measured,
    written: Sequence[tuple[Source, Measured]],
    before: Sequence[Measured] = (),
) -> Source | None:
    """The sentence whose two values differ by what ``said`` says, in the direction it says.

    The values must be of one thing by its name, follow one another in one sentence and be single
    numbers of one unit; a percentage and a range are never computed.
    """
    quantity = said.quantity
    way = _BY.search(text, max(0, quantity.start - 6), quantity.lead or quantity.start)
    exact = quantity.shape == "one" and not (quantity.comparator or quantity.more)
    if way is None or not exact or quantity.unit_text == "%":
        return None
    wanted = quantity.base[0] * (1 if way["up"] else -1)
    said = _of_the_last(said, before)
    for source, one, two in _followed(said, written):
        first, second = _single(one, said), _single(two, said)
        if first is not None and second is not None and second - first == wanted:
            return source
    return None


def _of_the_last(said: Measured, before: Sequence[Measured]) -> Measured:
    """``said`` with the name of the last of ``before``, where it has none and the unit fits:
    体重3050g，较出生时下降200g."""
    last = next((m for m in reversed(before) if m.quantity.unit), None)
    if said.concept or last is None or not last.quantity.unit.converts_to(said.quantity.unit):
        return said
    return replace(said, concept=last.concept, qualifiers=last.qualifiers)


def _followed(
    said: Measured, written: Sequence[tuple[Source, Measured]]
) -> Iterator[tuple[Source, Measured, Measured]]:
    """Values of the thing that is said which stand after one another in a sentence, and its first
    with its last."""
    sources = {id(source): source for source, _ in written}
    for source in sources.values():
        values = [m for m in source.measured if m.concept == said.concept and not m.reference]
        if not said.concept:
            # HAMD评分由36分降至8分: what no list has goes by the words before it.
            values = _by_words(said, values)
        pairs = list(pairwise(values))
        if len(values) > 2:
            pairs.append((values[0], values[-1]))
        for one, two in pairs:
            if one.qualifiers - _DAYS == two.qualifiers - _DAYS and _fits(said, one):
                yield source, one, two


_ALIKE = 3
"""Pairs of characters that stand before both, where what is measured has no listed name."""


def _by_words(said: Measured, values: Sequence[Measured]) -> list[Measured]:
    """The one value that goes on to another and has the words of ``said`` before it, with that."""
    found = [
        [one, two]
        for one, two in pairwise(values)
        if (one.moment, two.moment) == ("left", "last")
        and len(one.before & said.before) >= _ALIKE
        and one.quantity.unit.converts_to(said.quantity.unit)
    ]
    return found[0] if len(found) == 1 else []


_DAYS = frozenset({"day:昨", "day:今", "day:前", "age:现", "age:病前", "age:出生"})


def _fits(said: Measured, one: Measured) -> bool:
    apart = ("part:", "day:", "age:")
    mine = {q for q in said.qualifiers if not q.startswith(apart)}
    theirs = {q for q in one.qualifiers if not q.startswith(apart)}
    return not mine or mine == theirs


def _single(one: Measured, said: Measured) -> Fraction | None:
    """The value, or the part of a blood pressure that is said, in the base unit."""
    quantity = one.quantity
    if not quantity.unit.converts_to(said.quantity.unit) or quantity.ambiguous:
        return None
    if quantity.comparator or quantity.more or quantity.about:
        return None
    if quantity.shape == "one" and len(quantity.base) == 1:
        return quantity.base[0]
    if quantity.shape == "pair" and len(quantity.base) == 2:
        if "part:收缩" in said.qualifiers:
            return quantity.base[0]
        if "part:舒张" in said.qualifiers:
            return quantity.base[1]
    return None
