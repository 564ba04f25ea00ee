"""How well a number tells two classes apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from assistant.tasks.radiomics.cohort.outcome import Flags, Floats

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def auc(event: Flags, risk: Floats) -> float:
    """Area under the ROC curve: how often a case is above a control, ties half; NaN
    without both."""
    return delong(event, risk)[0]


def delong(event: Flags, risk: Floats) -> tuple[float, float]:
    """(AUC, its variance) after DeLong, DeLong and Clarke-Pearson 1988, by mid-ranks (Sun and Xu
    2014); NaN where there is no case or no control, infinite variance with a single one."""
    cases, controls = risk[event], risk[~event]
    m, n = len(cases), len(controls)
    if not m or not n:
        return float("nan"), float("nan")
    ranks = stats.rankdata(np.concatenate([cases, controls]))
    above = (ranks[:m] - stats.rankdata(cases)) / n
    below = 1 - (ranks[m:] - stats.rankdata(controls)) / m
    area = float(above.mean())
    if m < 2 or n < 2:
        return area, float("inf")
    return area, float(above.var(ddof=1) / m + below.var(ddof=1) / n)


def auc_interval(folds: Sequence[tuple[Flags, Floats]]) -> Interval:
    """The mean AUC of test folds and its DeLong interval.

    Cases are compared within their fold alone: each fold has a model of its own, and numbers of
    two models are not of one scale (LeDell, Petersen and van der Laan 2015).  The interval is
    widened for what folds share, see `shared`, and is on the scale of log-odds, so that it stays
    within 0 and 1; where every fold is told apart without fault, its lower end is that of an exact
    binomial.
    """
    found = [delong(event, risk) for event, risk in folds]
    found = [(area, v) for area, v in found if np.isfinite(area) and np.isfinite(v)]
    if not found:
        return Interval(float("nan"), 0.0, 1.0)
    area = float(np.mean([a for a, _ in found]))
    variance = float(np.mean([v for _, v in found])) * shared(len(found))
    tail = (1 - LEVEL) / 2
    if variance <= 0 or not 0 < area < 1:
        least = min(
            sum(int(event.sum()) for event, _ in folds), sum(int((~e).sum()) for e, _ in folds)
        )
        reach = 1 - tail ** (1 / max(1, least))
        return Interval(area, max(0.0, area - reach), min(1.0, area + reach))
    spread = float(stats.norm.isf(tail)) * float(np.sqrt(variance)) / (area * (1 - area))
    middle = float(np.log(area / (1 - area)))
    low, high = (1 / (1 + np.exp(-(middle + d))) for d in (-spread, spread))
    return Interval(area, float(low), float(high))


def shared(folds: int) -> float:
    """What the variance of one fold is multiplied by, for the mean of all.

    The training cases of folds overlap, so that they are not independent: to 1/k the share of test
    to training cases is added (Nadeau and Bengio 2003).
    """
    return 1.0 if folds < 2 else 1 / folds + 1 / (folds - 1)


def curve(event: Flags, risk: Floats) -> tuple[Floats, Floats, Floats]:
    """(false positive rate, true positive rate, threshold), from above all to below all."""
    order = np.argsort(-risk, kind="stable")
    value, yes = risk[order], event[order]
    last = np.append(np.flatnonzero(np.diff(value)), len(value) - 1)
    true = np.append(0, np.cumsum(yes)[last]) / max(1, int(yes.sum()))
    false = np.append(0, np.cumsum(~yes)[last]) / max(1, int((~yes).sum()))
    return false, true, np.append(np.inf, value[last])


def youden(event: Flags, risk: Floats) -> float:
    """The threshold with the greatest sensitivity + specificity."""
    false, true, threshold = curve(event, risk)
    return float(threshold[1:][int(np.argmax((true - false)[1:]))])


def for_sensitivity(event: Flags, risk: Floats, least: float) -> float:
    """The greatest threshold with at least this sensitivity."""
    _, true, threshold = curve(event, risk)
    return float(threshold[1:][int(np.flatnonzero(true[1:] >= least)[0])])


def wilson(count: int, total: int) -> Interval:
    """A share with Wilson's interval (1927)."""
    if not total:
        return Interval(float("nan"), 0.0, 1.0)
    found = stats.binomtest(count, total).proportion_ci(LEVEL, method="wilson")
    return Interval(count / total, float(found.low), float(found.high))
