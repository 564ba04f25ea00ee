"""Which of several ways of computing is quicker here: measured once, and remembered.

What a processor's flags promise is not what it does: eight bits are slower than float32 where there
is no VNNI, bfloat16 where it is imitated.  So encoders, page readers and image models all try the
ways they have on a piece of their own work.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from serving.hardware import measured

Way = TypeVar("Way", bound=str)

_ROUNDS = 5
_CLEARLY = 1.1
"""The first way is the one that a model was checked with, so another has to be clearly quicker."""

_log = logging.getLogger("bedside.serving.choice")
_measuring = threading.Lock()
_known: dict[tuple[Path, str], str] = {}
"""For where nothing can be written: what was measured in this process."""


def quickest(
    subject: str,
    kept: Path,
    key: str,
    ways: Sequence[Way],
    prepare: Callable[[Way], Callable[[], object]],
    accepted: Callable[[Way], str] = lambda way: way,
) -> str:
    """The way that is clearly quicker than the first of ``ways``, else that one; of two that are
    nearly as quick the earlier one, so ``ways`` begin with the most exact.

    ``prepare`` gives what computes with a way once, and may raise RuntimeError where it does not
    work here.  ``kept`` and ``key``: where it is remembered (see `measured.key`); ``subject``: for
    the log.
    ``accepted`` is asked of each way that is clearly quicker, in turn, and answers with what is to
    be used: that way, another of its kind, or nothing where it is not good enough.
    """
    with _measuring:
        known = measured.read(kept).get(key) or _known.get((kept, key))
        if isinstance(known, str) and known.partition(":")[0] in ways:
            return known
        seconds = measure(ways, prepare)
        found = ""
        for way in _tried(ways, seconds):
            found = found or accepted(way)
        found = found or ways[0]
        measured.keep(kept, key, found)
        if measured.read(kept).get(key) != found:
            _known[kept, key] = found
        shown = ", ".join(f"{name} {value * 1000:.1f} ms" for name, value in seconds.items())
        _log.info("%s in %s here (%s)", subject, found, shown)
        return found


def _tried(ways: Sequence[Way], seconds: Mapping[Way, float]) -> list[Way]:
    """The ways that are clearly quicker than the first: from the last that is clearly quicker than
    all before it, then the others by their time."""
    better = [ways[0]]
    for way in ways[1:]:
        if seconds[way] * _CLEARLY < seconds[better[-1]]:
            better.append(way)
    others = [
        way
        for way in sorted(ways[1:], key=lambda one: seconds[one])
        if way not in better and seconds[way] * _CLEARLY < seconds[ways[0]]
    ]
    return [*reversed(better[1:]), *others]


def measure(
    ways: Sequence[Way], prepare: Callable[[Way], Callable[[], object]]
) -> dict[Way, float]:
    """Seconds of the quickest of a few runs; the ways take turns, so that all share what else the
    processor is busy with.  Infinite for a way that does not work here."""
    ready: dict[Way, Callable[[], object]] = {}
    seconds: dict[Way, float] = dict.fromkeys(ways, float("inf"))
    for way in ways:
        try:
            ready[way] = prepare(way)
            ready[way]()
        except RuntimeError as error:
            ready.pop(way, None)
            _log.warning("%s does not work here: %s", way, type(error).__name__)
    for _ in range(_ROUNDS):
        for way, once in ready.items():
            started = time.perf_counter()
            once()
            seconds[way] = min(seconds[way], time.perf_counter() - started)
    return seconds
