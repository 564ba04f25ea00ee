"""In what numbers the networks compute on this processor: measured once, and remembered.

bfloat16 halves what float32 takes where the processor multiplies it, and is slower where it is only
imitated; so it is tried on a batch of blank lines.  Eight bits are not offered: the models' wheel
holds none, and to make them takes NNCF, which is not part of the installation.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from serving.hardware import cpu, measured
from serving.ocr.network import Numbers

CHOICES: tuple[Numbers, ...] = ("f32", "bf16")
KEPT = "ocr-measured.json"
_BF16 = frozenset({"amx_bf16", "avx512_bf16"})
_ROUNDS = 5
# Float32 is what the models were made in, so another has to be clearly quicker.
_CLEARLY = 1.1
_log = logging.getLogger("bedside.serving.ocr")


def kept_in() -> Path:
    """The file for what was measured: in ``BEDSIDE_HOME``, or where bedside keeps its data."""
    return measured.folder() / KEPT


def chosen(run: Callable[[Numbers], Callable[[], object]], kept: Path) -> Numbers:
    """The numbers that are quickest here.

    ``run`` prepares one choice and gives what computes with it once; ``kept``: the file that the
    choice is remembered in, by processor and version of OpenVINO.
    """
    if not cpu.flags() & _BF16:
        return "f32"
    key = measured.key()
    known = measured.read(kept).get(key)
    for numbers in CHOICES:
        if known == numbers:
            return numbers
    seconds = _measure(run)
    found: Numbers = "bf16" if seconds["bf16"] * _CLEARLY < seconds["f32"] else "f32"
    measured.keep(kept, key, found)
    shown = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in seconds.items())
    _log.info("pages are read in %s here (%s)", found, shown)
    return found


def _measure(run: Callable[[Numbers], Callable[[], object]]) -> dict[Numbers, float]:
    """Seconds of the quickest of a few runs; the choices take turns, so that both share what else
    the processor is busy with."""
    ready = {numbers: run(numbers) for numbers in CHOICES}
    seconds: dict[Numbers, float] = dict.fromkeys(CHOICES, float("inf"))
    for turn in range(_ROUNDS + 1):
        for numbers, once in ready.items():
            started = time.perf_counter()
            once()
            if turn:
                seconds[numbers] = min(seconds[numbers], time.perf_counter() - started)
    return seconds
