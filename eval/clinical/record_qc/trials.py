"""Trials: encounters with one seeded defect each, and clean ones."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.tasks.record_qc.record import CheckedEncounter
from eval.clinical.record_qc.defects import DEFECTS

_TRIES = 60
"""So often a kind is tried on another encounter before it is given up."""


@dataclass(frozen=True, slots=True)
class Trial:
    """An encounter and the kind of its defect; "" where it has none."""

    id: str
    kind: str
    clean: CheckedEncounter
    encounter: CheckedEncounter


def trials(encounters: Sequence[CheckedEncounter], count: int, seed: int) -> Iterator[Trial]:
    """``count`` seeded trials, every kind in turn, each on an encounter drawn anew."""
    kinds = sorted(DEFECTS)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        dice = random.Random(f"{seed}/{kind}/{number}")  # noqa: S311
        made = _seeded(kind, encounters, dice)
        if made is not None:
            clean, seeded = made
            yield Trial(f"{clean.id}/{kind}/{number}", kind, clean, seeded)


def _seeded(
    kind: str, encounters: Sequence[CheckedEncounter], dice: random.Random
) -> tuple[CheckedEncounter, CheckedEncounter] | None:
    for _ in range(_TRIES):
        clean = dice.choice(encounters)
        seeded = dice.choice(DEFECTS[kind])(clean, dice)
        if seeded is not None:
            return clean, seeded
    return None
