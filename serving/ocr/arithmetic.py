"""In what numbers the networks compute on this processor: measured once, and remembered.

bfloat16 halves what float32 takes where the processor multiplies it, and is slower where it is only
imitated; so it is tried on a blank picture.  Eight bits are offered for finding lines alone: the
recogniser lost five characters in a hundred by them (`bench/bills_int8.py` makes both).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from serving.hardware import cpu, measured
from serving.ocr.network import Numbers

CHOICES: tuple[Numbers, ...] = ("f32", "bf16")
"""From the most exact one on."""
KEPT = "ocr-measured.json"
_NEEDS: Mapping[Numbers, frozenset[str]] = {
    "bf16": frozenset({"amx_bf16", "avx512_bf16"}),
    "int8": frozenset({"amx_int8", "avx512_vnni", "avx_vnni"}),
}
"""Without one of these a processor only imitates such numbers."""
_ROUNDS = 5
# Float32 is what the models were made in, so another has to be clearly quicker.
_CLEARLY = 1.1
_log = logging.getLogger("bedside.serving.ocr")


def kept_in() -> Path:
    """The file for what was measured: in ``BEDSIDE_HOME``, or where bedside keeps its data."""
    return measured.folder() / KEPT


def chosen(
    run: Callable[[Numbers], Callable[[], object]],
    kept: Path,
    choices: Sequence[Numbers] = CHOICES,
    subject: str = "",
) -> Numbers:
    """The numbers that are quickest here; of two that are nearly as quick, the more exact.

    ``run`` prepares one choice and gives what computes with it once; ``kept``: the file that the
    choice is remembered in, by ``subject``, processor and version of OpenVINO; ``choices``: from
    the most exact one on.
    """
    flags = cpu.flags()
    possible = [one for one in choices if one not in _NEEDS or flags & _NEEDS[one]]
    if len(possible) == 1:
        return possible[0]
    key = measured.key(*([subject] if subject else []))
    known = measured.read(kept).get(key)
    for numbers in possible:
        if known == numbers:
            return numbers
    seconds = _measure(run, possible)
    found = possible[0]
    for other in possible[1:]:
        if seconds[other] * _CLEARLY < seconds[found]:
            found = other
    measured.keep(kept, key, found)
    shown = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in seconds.items())
    _log.info("%s in %s here (%s)", subject or "pages are read", found, shown)
    return found


def _measure(
    run: Callable[[Numbers], Callable[[], object]], choices: Sequence[Numbers]
) -> dict[Numbers, float]:
    """Seconds of the quickest of a few runs; the choices take turns, so that both share what else
    the processor is busy with."""
    ready = {numbers: run(numbers) for numbers in choices}
    seconds: dict[Numbers, float] = dict.fromkeys(choices, float("inf"))
    for turn in range(_ROUNDS + 1):
        for numbers, once in ready.items():
            started = time.perf_counter()
            once()
            if turn:
                seconds[numbers] = min(seconds[numbers], time.perf_counter() - started)
    return seconds
