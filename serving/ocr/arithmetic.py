"""In what numbers the networks compute on this processor: measured once, and remembered.

bfloat16 halves what float32 takes where the processor multiplies it, and is slower where it is only
imitated; so it is tried on a batch of blank lines.  Eight bits are not offered: the models' wheel
holds none, and to make them takes NNCF, which is not part of the installation.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from serving.hardware import choice, cpu, measured
from serving.ocr.network import Numbers

CHOICES: tuple[Numbers, ...] = ("f32", "bf16")
KEPT = "ocr-measured.json"
_BF16 = frozenset({"amx_bf16", "avx512_bf16"})


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
    found = choice.quickest("pages are read", kept, measured.key(), CHOICES, run)
    return "bf16" if found == "bf16" else "f32"
