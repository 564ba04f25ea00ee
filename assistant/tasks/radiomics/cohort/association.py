"""How each feature alone goes with the outcome."""

from __future__ import annotations

import numpy as np
from scipy import stats

from assistant.tasks.radiomics.cohort.outcome import Flags, Floats, Outcome


def association(x: Floats, outcome: Outcome) -> tuple[Floats, Floats]:
    """A chi-squared statistic (one degree of freedom) and its p-value for each column of ``x``
    (cases × features, no NaN).

    For classes the Mann-Whitney test with its correction for ties; for times the score test of
    Cox's model.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z = _score(x, outcome) if outcome.is_survival else _ranks(x, outcome.event)
    chi2: Floats = np.nan_to_num(z * z, nan=0.0, posinf=0.0)
    return chi2, np.asarray(stats.chi2.sf(chi2, 1), dtype=np.float64)


def passed(p: Floats, rate: float) -> Flags:
    """Which p-values Benjamini and Hochberg's procedure keeps at a false discovery rate (1995)."""
    order = np.argsort(p, kind="stable")
    under = p[order] <= rate * np.arange(1, len(p) + 1) / len(p)
    kept: Flags = np.zeros(len(p), dtype=bool)
    if under.any():
        kept[order[: int(np.flatnonzero(under)[-1]) + 1]] = True
    return kept


def _ranks(x: Floats, event: Flags) -> Floats:
    """z of Mann and Whitney's U; features in blocks, so that a wide table needs little memory."""
    yes, n = int(event.sum()), len(event)
    no = n - yes
    z = np.zeros(x.shape[1])
    for start in range(0, x.shape[1], 4096):
        block = x[:, start : start + 4096]
        ranks = stats.rankdata(block, axis=0)
        u = ranks[event].sum(axis=0) - yes * (yes + 1) / 2
        # Variance of a sum of ranks drawn without return; mid-ranks bring the ties with them.
        spread = yes * no / (n * (n - 1)) * ((ranks - (n + 1) / 2) ** 2).sum(axis=0)
        z[start : start + 4096] = (u - yes * no / 2) / np.sqrt(spread)
    return z


def _score(x: Floats, outcome: Outcome) -> Floats:
    """z of the score test at zero, with Breslow's way of ties."""
    assert outcome.time is not None
    order = np.argsort(-outcome.time, kind="stable")
    time, event = outcome.time[order], outcome.event[order]
    # At risk at a time are all that come before it in this order, and those tied with it.
    last = np.searchsorted(-time, -time, side="right") - 1
    at = last[event]
    size = (at + 1)[:, None]
    z = np.zeros(x.shape[1])
    for start in range(0, x.shape[1], 1024):
        block = x[order, start : start + 1024]
        block = block - block.mean(axis=0)
        mean = np.cumsum(block, axis=0)[at] / size
        square = np.cumsum(block * block, axis=0)[at] / size
        spread = np.maximum(square - mean * mean, 0).sum(axis=0)
        z[start : start + 1024] = (block[event] - mean).sum(axis=0) / np.sqrt(spread)
    return z
