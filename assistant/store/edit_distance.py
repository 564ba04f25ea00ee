"""How much a doctor changed a text."""

from __future__ import annotations

# Beyond this many code points on both sides the distance would hold up the writer for seconds.
MAX_MEASURED = 20_000


def edit_distance(before: str, after: str) -> int | None:
    """The Levenshtein distance in code points; None when the changed part is over 20,000 long.

    The bit-parallel algorithm of Myers (J. ACM 46(3), 1999) as Hyyrö writes it (2003), one column
    in one integer of any length.
    """
    start = _common_start(before, after)
    before, after = before[start:], after[start:]
    end = _common_start(before[::-1], after[::-1])
    before, after = before[: len(before) - end], after[: len(after) - end]
    if len(before) > len(after):
        before, after = after, before
    if not before:
        return len(after)
    if len(after) > MAX_MEASURED:
        return None

    places: dict[str, int] = {}
    for index, character in enumerate(before):
        places[character] = places.get(character, 0) | 1 << index
    every, last = (1 << len(before)) - 1, 1 << len(before) - 1
    rising, falling, distance = every, 0, len(before)
    for character in after:
        match = places.get(character, 0)
        diagonal = ((match & rising) + rising ^ rising | match | falling) & every
        up = falling | ~(diagonal | rising) & every
        down = rising & diagonal
        distance += bool(up & last) - bool(down & last)
        up = up << 1 | 1
        rising = (down << 1 | ~(diagonal | up)) & every
        falling = diagonal & up & every
    return distance


def _common_start(left: str, right: str) -> int:
    """How many code points both texts begin with."""
    for index, (one, other) in enumerate(zip(left, right, strict=False)):
        if one != other:
            return index
    return min(len(left), len(right))
