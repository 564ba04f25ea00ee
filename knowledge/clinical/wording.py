"""The notation of a finding's wordings.

``A…B`` is *A* followed by *B* in one clause; ``(x/y/z)`` is one of these, and may be empty
(``(性/)``).  Everything else stands for itself.
"""

from __future__ import annotations

from knowledge.text.folding import fold

GAP = "…"

Choice = tuple[str, ...]
"""Literals of which one must stand here, folded; an empty one: nothing may."""
Part = tuple[Choice, ...]
"""Choices that follow one another without a gap."""
Wording = tuple[Part, ...]
"""Parts with a gap between each two."""


class WordingError(ValueError):
    """A wording that cannot be read; the message says why."""


def parse_wording(written: str) -> Wording:
    """The parts of a wording, in their order.

    Raises:
        WordingError: a bracket is not closed, or a part may be empty.
    """
    # An ellipsis is often written twice.
    folded = fold(written.strip()).replace(GAP + GAP, GAP)
    parts = tuple(_choices(part, written) for part in folded.split(GAP))
    if any(all("" in choice for choice in part) for part in parts):
        raise WordingError(f"A part of {written!r} may be empty.")
    return parts


def _choices(part: str, written: str) -> Part:
    choices: list[Choice] = []
    rest = part
    while rest:
        before, opened, after = rest.partition("(")
        if before:
            choices.append((before,))
        if not opened:
            break
        inside, closed, rest = after.partition(")")
        if not closed or "(" in inside:
            raise WordingError(f"A bracket of {written!r} is not closed.")
        # HBsAg(+) is what it is: only a list of alternatives is one.
        alternatives = inside.split("/") if "/" in inside else [f"({inside})"]
        choices.append(tuple(dict.fromkeys(alternatives)))
    return tuple(choices)
