"""How far a written name is from a listed one, in characters wrong.

A character that print or a keyboard takes for another costs less than one of its own; one left out
costs less than one put in, since people shorten; another order costs a little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from assistant.tasks.bill_ocr.catalogue.characters import look_alike, sound_alike
from assistant.tasks.bill_ocr.catalogue.specification import words

CONFUSED = 0.35
LEFT_OUT = 0.6
PUT_IN = 0.8
BY_HABIT = 0.25
"""What salts and fillers cost, a character: 头孢曲松 for 头孢曲松钠."""
OTHER_ORDER = 0.4


@cache
def _by_habit() -> tuple[str, ...]:
    both = [*words()["salts"], *words()["fillers"]]
    return tuple(sorted(both, key=len, reverse=True))


def distance(written: str, listed: str) -> float:
    """The cost of making ``listed`` from ``written``; 0 where they are the same."""
    if written == listed:
        return 0.0
    found = _edits(written, listed)
    if found > OTHER_ORDER:
        found = min(found, OTHER_ORDER + _edits("".join(sorted(written)), "".join(sorted(listed))))
    return found


@dataclass(frozen=True, slots=True)
class Strangeness:
    """What no print, keyboard or habit explains: characters ``replaced``, ``left_out`` and
    ``put_in``."""

    replaced: int
    left_out: int
    put_in: int
    head: bool = False
    """Whether the first character is another: 氧氟沙星 is not 左氧氟沙星 in short."""
    instead: tuple[str, ...] = ()
    """The characters that were written instead of those replaced, each between its neighbours
    (^ and $ at the ends of the name)."""


def strangeness(written: str, listed: str) -> Strangeness:
    """How ``listed`` differs from ``written`` beyond misreading and habit."""
    from rapidfuzz.distance import Levenshtein

    habit, put_in = habitual(listed), habitual(written)
    counts = {"replace": 0, "insert": 0, "delete": 0}
    if sorted(written) == sorted(listed):
        return Strangeness(0, 0, 0)
    instead: list[str] = []
    edged = f"^{written}$"
    for edit in Levenshtein.editops(written, listed):
        kind, at, to = edit.tag, edit.src_pos, edit.dest_pos
        explained = (
            (kind == "replace" and _replaced(written[at], listed[to]) == CONFUSED)
            or (kind == "insert" and to in habit)
            or (kind == "delete" and at in put_in)
        )
        counts[kind] += not explained
        if kind == "replace" and not explained:
            instead.append(edged[at : at + 3])
    head = written[:1] != listed[:1] and any(counts.values())
    return Strangeness(counts["replace"], counts["insert"], counts["delete"], head, tuple(instead))


def _edits(written: str, listed: str) -> float:
    from rapidfuzz.distance import Levenshtein

    cost = 0.0
    left_out = habitual(listed)
    put_in = habitual(written)
    for edit in Levenshtein.editops(written, listed):
        kind, at, to = edit.tag, edit.src_pos, edit.dest_pos
        if kind == "replace":
            cost += _replaced(written[at], listed[to])
        elif kind == "insert":
            cost += BY_HABIT if to in left_out else LEFT_OUT
        else:
            cost += BY_HABIT if at in put_in else PUT_IN
    return cost


def _replaced(one: str, other: str) -> float:
    if one.isdigit() and other.isdigit():
        return 2.0  # B1 is no misprint of B6
    return CONFUSED if look_alike(one, other) or sound_alike(one, other) else 1.0


@lru_cache(maxsize=100_000)
def habitual(name: str) -> frozenset[int]:
    """Places of a name that people leave out."""
    found: set[int] = set()
    for word in _by_habit():
        at = name.find(word)
        if at >= 0 and len(word) < len(name):
            found.update(range(at, at + len(word)))
    return frozenset(found)
