"""What a record has of one test: the values of the stay, those of before it, what is pending."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from assistant.grounding.stance import relatives
from assistant.store.person_names import find_names
from assistant.tasks.record_qa.points import Point, number_in, of_test, rows, told
from assistant.tasks.record_qa.reading import RecordReading

BEFORE = timedelta(days=2)
"""Results of so long before the admission (clinic, emergency room) are of this stay."""


@dataclass(frozen=True, slots=True)
class Series:
    """What the record has of one test.

    ``points`` are those of the stay that are there, ``earlier`` those of before it; ``unit`` is the
    one that most of them are in.
    """

    test: str
    points: list[Point]
    earlier: list[Point]
    pending: list[Point]
    beside: list[Point]
    unit: str

    def numbers(self) -> list[tuple[Point, float]]:
        """The points that have a number in ``unit``."""
        found = [(p, number_in(p, self.unit)) for p in self.points]
        return [(p, n) for p, n in found if n is not None]

    def apart(self) -> list[Point]:
        """Numbers in a unit that cannot be compared with the others."""
        return [p for p in self.points if p.number is not None and number_in(p, self.unit) is None]


def series(reading: RecordReading, test: str) -> Series:
    """The points of a test: rows where there are any, else what the notes tell."""
    kept = of_test(rows(reading), test)
    pending = [p for p in kept if p.pending]
    kept = [p for p in kept if not p.pending and p.shown != "未填写"]
    spoken = _once(
        [p for p in of_test(told(reading), test) if not of_others(p.evidence.quote, reading)]
    )
    since = reading.admitted - BEFORE if reading.admitted else None
    stay = [p for p in kept if not (since and p.at and p.at < since)]
    earlier = [replace(p, earlier=True) for p in kept if p not in stay]
    if stay:
        known = {(p.number, p.unit) for p in kept} | {(p.number, None) for p in kept}
        beside = [
            p
            for p in spoken
            if (p.number, None) not in known and any(number_in(p, q.unit) is not None for q in stay)
        ]
        earlier += [p for p in beside if p.earlier]
        beside = [p for p in beside if not p.earlier]
    else:
        earlier += [p for p in spoken if p.earlier]
        stay, beside = [p for p in spoken if not p.earlier], []
    return Series(test, stay, earlier, pending, beside, _unit(stay))


OTHER_BED = re.compile(r"邻床|同病[室房]|同室|他床|病友|另一(?:名|位)?(?:患者|病人)|其他患者")
"""Words of a sentence about another patient."""


def of_others(said: str, reading: RecordReading) -> bool:
    """Whether a sentence of a note tells of somebody else: a relative, or another patient."""
    if OTHER_BED.search(said) or relatives(said):
        return True
    names = find_names(said)
    own = {n.note.author for n in reading.notes} | {reading.name}
    return any(
        not any(name in one or one in name for one in own if one)
        and not re.search(
            rf"{re.escape(name)}(?:主治|主任|副主任|住院)?(?:医[师生]|护士|大夫)", said
        )
        for name in names
    )


def _once(points: Sequence[Point]) -> list[Point]:
    """Told twice of one day, a value is one."""
    found: dict[tuple[float | None, float | None, str, date | None, bool], Point] = {}
    for point in points:
        key = (point.number, point.pair, point.shown if point.number is None else "", point.day,
               point.earlier)  # fmt: skip
        found.setdefault(key, point)
    return sorted(found.values(), key=lambda p: (p.at is None, p.at or datetime.min))


def _unit(points: Sequence[Point]) -> str:
    units = [p.unit for p in points if p.number is not None]
    return max(units, key=units.count) if units else ""
