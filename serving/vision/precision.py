"""In what numbers a network computes here: measured on the first image, and remembered.

bfloat16 halves what float32 takes where the processor multiplies it, and costs some accuracy.  So
both are tried: it is taken where it is clearly quicker and the classes of a part of the image agree
with those of float32 by as much as the model's description asks for (Dice).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.hardware import cpu, measured
from serving.vision.compiled import PRECISIONS, Precision

KEPT = "vision-measured.json"
_BF16 = frozenset({"amx_bf16", "avx512_bf16"})
_ROUNDS = 5
# Float32 is what models are made in, so another has to be clearly quicker.
_CLEARLY = 1.1
_FEW = 50
"""Voxels of a class below which its Dice says nothing."""

Labels = NDArray[np.uint8]
_log = logging.getLogger("bedside.serving.vision")


@dataclass(frozen=True, slots=True)
class Trial:
    """How to try a precision: ``once`` prepares one piece of work, ``labels`` answers a part of
    the image."""

    once: Callable[[Precision], Callable[[], object]]
    labels: Callable[[Precision], Labels]


def possible() -> tuple[Precision, ...]:
    """What this processor computes itself."""
    return PRECISIONS if cpu.flags() & _BF16 else ("f32",)


def chosen(digest: str, trial: Trial, max_loss: float, kept: Path | None = None) -> Precision:
    """The precision for the model with this ``digest``.

    ``kept``: the file that it is remembered in; by default in ``BEDSIDE_HOME``.
    """
    if len(possible()) == 1:
        return "f32"
    kept = kept or measured.folder() / KEPT
    key = measured.key(digest, str(max_loss))
    known = measured.read(kept).get(key)
    for name in PRECISIONS:
        if known == name:
            return name
    seconds = _measure(trial)
    found: Precision = "f32"
    loss = 0.0
    if seconds["bf16"] * _CLEARLY < seconds["f32"]:
        loss = 1 - dice(trial.labels("f32"), trial.labels("bf16"))
        found = "bf16" if loss <= max_loss else "f32"
    measured.keep(kept, key, found)
    shown = ", ".join(f"{name} {value * 1000:.0f} ms" for name, value in seconds.items())
    _log.info("images are segmented in %s here (%s; loss of Dice %.4f)", found, shown, loss)
    return found


def dice(one: Labels, other: Labels) -> float:
    """The mean Dice over the classes that either has more than a few voxels of; 1 if none."""
    size = int(max(one.max(initial=0), other.max(initial=0))) + 1
    first = np.bincount(one.ravel(), minlength=size)
    second = np.bincount(other.ravel(), minlength=size)
    both = np.bincount(one[one == other].ravel(), minlength=size)
    shown = np.maximum(first, second) >= _FEW
    shown[0] = False
    if not shown.any():
        return 1.0
    return float(np.mean(2 * both[shown] / (first[shown] + second[shown])))


def _measure(trial: Trial) -> dict[Precision, float]:
    """Seconds of the quickest of a few runs; they take turns, so that both share what else the
    processor is busy with."""
    ready = {name: trial.once(name) for name in PRECISIONS}
    seconds: dict[Precision, float] = dict.fromkeys(PRECISIONS, float("inf"))
    for turn in range(_ROUNDS + 1):
        for name, once in ready.items():
            started = time.perf_counter()
            once()
            if turn:
                seconds[name] = min(seconds[name], time.perf_counter() - started)
    return seconds
