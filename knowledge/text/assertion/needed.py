"""What a text must hold for a pattern to match in it at all.

There are hundreds of cues and a text has few of them: looking for words that a pattern cannot do
without is much quicker than trying the pattern at every place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_MOST = 40
"""Alternatives; of a pattern with more nothing is asked."""

Needed = tuple[str, ...] | None
"""Texts of which one is in every match; None where there is nothing that is in every match."""


def needed(pattern: re.Pattern[str]) -> Needed:
    """What stands in every match of ``pattern``."""
    if pattern.flags & re.IGNORECASE:
        return None
    # The reader of patterns that Python itself has; it has no public name since 3.11.
    parser = re._parser  # type: ignore[attr-defined]
    return _of_sequence(list(parser.parse(pattern.pattern, pattern.flags & re.VERBOSE)))


def _of_sequence(items: Sequence[tuple[Any, Any]]) -> Needed:
    """The best of its parts: the one whose shortest alternative is longest."""
    found: list[tuple[str, ...]] = []
    run = ""
    for operation, value in items:
        name = str(operation)
        if name == "LITERAL":
            run += chr(value)
            continue
        if run:
            found.append((run,))
        run = ""
        part = _of_part(name, value)
        if part:
            found.append(part)
    if run:
        found.append((run,))
    return max(found, key=lambda one: (min(map(len, one)), -len(one)), default=None)


def _of_part(name: str, value: Any) -> Needed:
    if name == "SUBPATTERN":
        _, flags, _, items = value
        return None if flags & re.IGNORECASE else _of_sequence(list(items))
    if name == "ATOMIC_GROUP":
        return _of_sequence(list(value))
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
        return _of_sequence(list(value[2])) if value[0] >= 1 else None
    if name == "BRANCH":
        return _of_each([_of_sequence(list(branch)) for branch in value[1]])
    if name == "IN" and all(str(operation) == "LITERAL" for operation, _ in value):
        return _of_each([(chr(character),) for _, character in value])
    return None


def _of_each(branches: Sequence[Needed]) -> Needed:
    """One of any of the branches."""
    joined: list[str] = []
    for branch in branches:
        if branch is None:
            return None
        joined += branch
    unique = tuple(dict.fromkeys(joined))
    return unique if len(unique) <= _MOST else None
