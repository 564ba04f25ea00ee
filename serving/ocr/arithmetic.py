"""In what numbers the networks compute on this processor: measured once, and remembered.

bfloat16 halves what float32 takes where the processor multiplies it, and is slower where it is only
imitated; so it is tried on a blank picture.  Eight bits are offered for finding lines alone: the
recogniser lost five characters in a hundred by them (`bench/bills_int8.py` makes both).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from serving.hardware import choice, cpu, measured
from serving.ocr.network import Numbers

CHOICES: tuple[Numbers, ...] = ("f32", "bf16")
"""From the most exact one on."""
KEPT = "ocr-measured.json"
_NEEDS: Mapping[Numbers, frozenset[str]] = {
    "bf16": frozenset({"amx_bf16", "avx512_bf16"}),
    "int8": frozenset({"amx_int8", "avx512_vnni", "avx_vnni"}),
}
"""Without one of these a processor only imitates such numbers."""


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
    found = choice.quickest(subject or "pages are read", kept, key, possible, run)
    return next(one for one in possible if one == found)
