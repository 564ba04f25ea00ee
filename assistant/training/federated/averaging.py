"""Updates of sites into one: weighted means, a bound on their length, clipping and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.training.federated.message import Weights, norm


@dataclass(frozen=True, slots=True)
class Update:
    """What a site changed in a round: its weights less those it was given, and how many
    characters of text it learnt from."""

    change: Weights
    size: int


@dataclass(frozen=True, slots=True)
class Privacy:
    """DP-FedAvg (McMahan et al. 2018) with the site as the unit: each change is shortened to
    ``clip``, and the sum gets Gaussian noise of deviation ``noise`` × ``clip``."""

    clip: float
    noise: float


def too_long(norms: Mapping[str, float], factor: float) -> tuple[float, set[str]]:
    """The bound of a round, and the sites whose change is longer.

    The bound is ``factor`` times the lower median of the round: one site of three cannot move it
    far, and of two the shorter one counts.  Earlier rounds do not: while the rate rises, honest
    changes grow a hundredfold.
    """
    every = sorted(norms.values())
    if len(every) < 2:
        return float("inf"), set()
    bound = factor * every[(len(every) - 1) // 2]
    return bound, {name for name, value in norms.items() if value > bound}


def clipped(change: Weights, length: float) -> Weights:
    """``change`` shortened to ``length``, where it is longer."""
    own = norm(change)
    if own <= length:
        return change
    return {name: value * np.float32(length / own) for name, value in change.items()}


def average(
    weights: Weights,
    updates: Sequence[Update],
    privacy: Privacy | None = None,
    random: np.random.Generator | None = None,
) -> Weights:
    """``weights`` moved by the mean of ``updates`` (FedAvg, McMahan et al. 2017).

    Sites count by the length of their texts, as in pooled data long texts fill more steps.  With
    ``privacy`` all count the same, as a site's share would say how much it has, and the noise is
    fitted to the longest that one can add.
    """
    total = sum(update.size for update in updates)
    made: Weights = {}
    shortened = updates
    if privacy is not None:
        shortened = [Update(clipped(one.change, privacy.clip), 1) for one in updates]
        total = len(updates)
    random = random or np.random.default_rng()
    for name, value in weights.items():
        moved = sum(
            (one.change[name].astype(np.float64) * (one.size / total) for one in shortened),
            np.zeros(value.shape),
        )
        if privacy is not None and privacy.noise:
            moved += random.normal(0.0, privacy.noise * privacy.clip / total, value.shape)
        made[name] = (value + moved).astype(np.float32)
    return made
