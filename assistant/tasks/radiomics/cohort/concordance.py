"""How well a number orders cases by the time of their event."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome
from assistant.tasks.radiomics.cohort.roc import LEVEL, Interval, shared


def _pairs(outcome: Outcome, risk: Floats) -> tuple[Floats, Floats]:
    """Cases × cases: which pairs can be ordered, and how right their order is (ties half)."""
    assert outcome.time is not None
    time, event = outcome.time, outcome.event
    first = event[:, None] & ((time[:, None] < time) | ((time[:, None] == time) & ~event[None, :]))
    right = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
    return first.astype(np.float64), first * right


def concordance(outcome: Outcome, risk: Floats) -> float:
    """Harrell's C (1982); NaN where no pair can be ordered."""
    able, right = _pairs(outcome, risk)
    return float(right.sum() / able.sum()) if able.any() else float("nan")


def concordance_interval(folds: Sequence[tuple[Outcome, Floats]]) -> Interval:
    """The mean C of test folds with an interval from the influence of each case on its fold's C
    (the infinitesimal jackknife), widened for what folds share."""
    values, variances = [], []
    for outcome, risk in folds:
        able, right = _pairs(outcome, risk)
        total = able.sum()
        if not total:
            continue
        value = float(right.sum() / total)
        gain = right - value * able
        influence = (gain.sum(axis=0) + gain.sum(axis=1)) / total
        values.append(value)
        variances.append(float((influence**2).sum()))
    if not values:
        return Interval(float("nan"), 0.0, 1.0)
    value = float(np.mean(values))
    reach = float(stats.norm.isf((1 - LEVEL) / 2)) * float(
        np.sqrt(np.mean(variances) * shared(len(values)))
    )
    return Interval(value, max(0.0, value - reach), min(1.0, value + reach))
