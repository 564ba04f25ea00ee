"""Of several values of one thing, which was first, and whether it rose or fell."""

from __future__ import annotations

import re
from itertools import pairwise

from assistant.grounding.check import Check
from assistant.grounding.measured import Measured
from assistant.grounding.source import Reading
from assistant.grounding.trends import numeric_trends


def check_order(check: Check) -> None:
    """Of two values of one thing, the earlier must be the earlier in the record."""
    values = [m for m in check.said.measured if m.concept]
    for one, two in pairwise(values):
        if one.concept != two.concept or one.quantity.same(two.quantity):
            continue
        if _of_two_sides(check, one, two):
            continue
        if {one.moment, two.moment} == {"first", "last"} and _have_moments(check, one, two):
            # 术后为15分，入院时为9分: the moments are named, and compared as they are.
            continue
        places = [
            # 6.2kg（病前6.8kg）: what was before is earlier, wherever it stands.
            (-1 if "age:病前" in m.qualifiers else number, m.quantity.start, m)
            for number, source in enumerate(check.sources)
            for m in source.measured
            if m.concept == one.concept
        ]
        first = [(n, at) for n, at, m in places if one.quantity.same(m.quantity)]
        second = [(n, at) for n, at, m in places if two.quantity.same(m.quantity)]
        if first and second and min(first) > max(second):
            start, end = one.quantity.start, two.quantity.end
            check.problem("number", check.text[start:end])


def _of_two_sides(check: Check, one: Measured, two: Measured) -> bool:
    """Whether each is of another side, which is compared elsewhere: 左侧5级，右侧3级."""
    clauses = [check.said.clause_of(m.quantity.start) for m in (one, two)]
    sides = [{s.side for s in c.sides} if c else set() for c in clauses]
    return all(sides) and not sides[0] & sides[1]


def _have_moments(check: Check, *said: Measured) -> bool:
    """Whether the record names the moment of every such value."""
    written = [m for s in check.sources for m in s.measured]
    return all(
        any(m.concept == one.concept and m.moment == one.moment and one.quantity.same(m.quantity)
            for m in written)
        for one in said
    )  # fmt: skip


_LED = re.compile(
    r"(?:(?P<up>升|增|上升|升高|增加|回升)|(?P<down>降|减|下降|降低|减少|回落))[至到为][约]?[ ]?\Z"
)


def check_led(check: Check) -> None:
    """降至142 is no value that was the first, and rose: it was higher before it came down."""
    for said in check.said.measured:
        led = _way(check.said, said)
        if led is None:
            continue
        own = [
            (s, m)
            for s in check.sources
            for m in s.measured
            if said.is_of(m)
            and not m.reference
            and said.quantity.unit.converts_to(m.quantity.unit)
            and len(m.quantity.base) == len(said.quantity.base) == 1
        ]
        own.sort(
            key=lambda item: (
                not (item[1].moment in ("earlier", "first") or "age:病前" in item[1].qualifiers)
            )
        )
        places = [n for n, (_, m) in enumerate(own) if m.quantity.base == said.quantity.base]
        if not places or any(_way(*own[n]) is led for n in places):
            continue
        before = [m.quantity.base[0] for _, m in own[: places[-1]]]
        value = said.quantity.base[0]
        if len(own) > 1 and not any((b < value) is led and b != value for b in before):
            check.problem("negation", check.text[said.name_start : said.quantity.end])


def _way(reading: Reading, value: Measured) -> bool | None:
    """Whether a value is what something rose to (True) or fell to (False), where it says so."""
    start = value.quantity.lead or value.quantity.start
    led = _LED.search(reading.text, max(0, start - 6), start)
    return None if led is None else led["up"] is not None


def check_trends(check: Check) -> None:
    """What rose in the statement must not have fallen in the record."""
    if not check.said.trends:
        return
    by_words = [(s, t) for s in check.sources for t in s.trends]
    values = [m for s in check.sources for m in s.measured if not m.reference]
    for trend in check.said.trends:
        told = [(s, t.up) for s, t in by_words if t.concept == trend.concept]
        own = [m for m in values if m.concept == trend.concept]
        ways = {up for _, up in told} | {up for _, up in numeric_trends(own)}
        if ways and trend.up not in ways:
            check.problem("negation", check.text[trend.start : trend.end])
        elif ways:
            check.verify(trend.start, trend.end)
            check.computed.append((trend.start, trend.end))
            for source in [s for s, up in told if up is trend.up][:1]:
                check.use(source)
