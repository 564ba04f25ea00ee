"""How much work a call is, counted and not timed: the same figure on every machine."""

import sys
from collections.abc import Callable


def counted_calls(run: Callable[[], object]) -> int:
    """Calls and returns, of Python's functions and of C's, while `run` ran."""
    count = 0

    def seen(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(seen)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def grows_in_proportion(run: Callable[[str], object], piece: str) -> bool:
    """Whether four times the text is at most five times the work.

    What a regular expression does inside of one call is not counted; a pattern that explodes
    shows as a test that does not end.
    """
    run(piece * 10)  # what is computed once is computed now
    short, long = (piece * (size // len(piece)) for size in (2_500, 10_000))
    few, many = counted_calls(lambda: run(short)), counted_calls(lambda: run(long))
    return many <= 5 * few
