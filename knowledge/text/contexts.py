"""Where an ambiguous wording is read: the rules of ``data/contexts.tsv``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

SIDES = ("before", "after", "never-before", "never-after")
_REACH = 24
_NOWHERE = re.compile(r"(?!)")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row; ``example`` holds the term in braces, under ``never-…`` a text without it."""

    context: str
    side: str
    pattern: str
    example: str


class Context:
    """The rules of one context as patterns."""

    def __init__(self, rules: list[Rule]) -> None:
        sides = {side: [r.pattern for r in rules if r.side == side] for side in SIDES}
        self._before = _ending(sides["before"])
        self._after = _joined(sides["after"])
        self._never_before = _ending(sides["never-before"])
        self._never_after = _joined(sides["never-after"])

    def holds(self, folded: str, start: int, end: int) -> bool:
        """Whether the term at ``[start, end)`` of a folded text is meant."""
        before = folded[max(0, start - _REACH) : start]
        if self._never_after.match(folded, end) or self._never_before.search(before):
            return False
        return bool(self._before.search(before) or self._after.match(folded, end))


def _joined(patterns: list[str]) -> re.Pattern[str]:
    return re.compile("|".join(patterns)) if patterns else _NOWHERE


def _ending(patterns: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:{'|'.join(patterns)})\Z") if patterns else _NOWHERE


@lru_cache(maxsize=1)
def rules() -> tuple[Rule, ...]:
    """The rows of the table.

    Raises:
        ValueError: a row has not four cells, or no side that is known.
    """
    path = files("knowledge.text") / "data" / "contexts.tsv"
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if len(cells) != 4 or cells[1] not in SIDES:
            raise ValueError(f"contexts, line {number}: expected context, side, pattern, example")
        found.append(Rule(*cells))
    return tuple(found)


@lru_cache(maxsize=1)
def contexts() -> dict[str, Context]:
    """The contexts by name."""
    names = {rule.context for rule in rules()}
    return {name: Context([r for r in rules() if r.context == name]) for name in names}
