"""In what numbers a network computes here: measured on the first image, and remembered.

bfloat16 halves what float32 takes where the processor multiplies it, eight bits quarter it where
there is VNNI, and either costs some accuracy.  So all are tried: the quickest is taken whose
classes of a part of the image agree with those of float32 by as much as the model's description
asks for (Dice).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serving.hardware import choice, cpu, measured
from serving.vision.compiled import Precision

KEPT = "vision-measured.json"
_BF16 = frozenset({"amx_bf16", "avx512_bf16"})
_FEW = 50
"""Voxels of a class below which its Dice says nothing."""

Labels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Trial:
    """How to try a precision: ``once`` prepares one piece of work, ``labels`` answers a part of
    the image with a way of computing.

    ``variants``: what else may be tried where a precision is quicker and costs too much, such as
    ``bf16:3``, the nearest first.
    """

    once: Callable[[Precision], Callable[[], object]]
    labels: Callable[[str], Labels]
    variants: Callable[[Precision], Sequence[str]] = lambda name: ()


def possible(eight_bits: bool = False) -> tuple[Precision, ...]:
    """What this processor computes itself; ``eight_bits``: whether the model has such a graph."""
    found: list[Precision] = ["f32"]
    if cpu.flags() & _BF16:
        found.append("bf16")
    if eight_bits:
        found.append("int8")
    return tuple(found)


def chosen(
    digest: str,
    trial: Trial,
    max_loss: float,
    kept: Path | None = None,
    eight_bits: bool = False,
) -> str:
    """The way of computing for the model with this ``digest``: a precision, or a variant of one.

    ``kept``: the file that it is remembered in; by default in ``BEDSIDE_HOME``.
    """
    ways = possible(eight_bits)
    if len(ways) == 1:
        return "f32"
    exact: list[Labels] = []

    def accepted(name: Precision) -> str:
        if not exact:
            exact.append(trial.labels("f32"))
        for way in (name, *trial.variants(name)):
            if 1 - dice(exact[0], trial.labels(way)) <= max_loss:
                return way
        return ""

    kept = kept or measured.folder() / KEPT
    key = measured.key(digest, str(max_loss))
    return choice.quickest("images are segmented", kept, key, ways, trial.once, accepted)


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
