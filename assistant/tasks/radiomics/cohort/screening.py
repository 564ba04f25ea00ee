"""The columns that go with the outcome, each alone, and not with a better one of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assistant.tasks.radiomics.cohort.association import association, passed
from assistant.tasks.radiomics.cohort.outcome import Flags, Floats, Outcome, Whole
from assistant.tasks.radiomics.cohort.settings import CohortSettings

_MOST = 4000
"""Columns that are compared with each other; beyond these, the least associated go first."""


@dataclass(frozen=True)
class Screened:
    """``kept``: places, rising.  ``associated``: how many passed the tests, before those that go
    together were thinned out."""

    kept: Whole
    associated: int


def screen(z: Floats, outcome: Outcome, settings: CohortSettings) -> Screened:
    """Univariate tests with their false discovery rate; then, of columns that go together, the one
    with the smallest p-value.

    Where no test is passed the one nearest to it is kept: there must be a model to be judged.
    """
    chi2, p = association(z, outcome)
    good: Flags = passed(p, settings.fdr) if settings.fdr < 1 else np.ones(len(p), dtype=bool)
    count = int(good.sum())
    if not count:
        good[int(np.argmin(p))] = True
    order = np.flatnonzero(good)[np.argsort(-chi2[good], kind="stable")][:_MOST]
    return Screened(np.sort(order[_apart(z[:, order], settings.max_correlation)]), count)


def _apart(x: Floats, most: float) -> Whole:
    """Columns of ``x``, the best first, none of which goes with an earlier one above ``most``."""
    spread = x.std(axis=0)
    z = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0) / np.sqrt(len(x))
    open_ = np.ones(x.shape[1], dtype=bool)
    kept = []
    for place in range(x.shape[1]):
        if open_[place]:
            kept.append(place)
            near = np.abs(z[:, place] @ z[:, place + 1 :]) > most
            open_[place + 1 :] &= ~near
    return np.array(kept, dtype=np.int64)
