"""Features that say something which those chosen before them do not.

Score tests given the features chosen so far, over all columns (Benjamini and Hochberg 1995): the
best is taken in as long as it passes at a generous rate, and at the end what the others make
needless is given up at the rate that was asked for.  A column that only goes along with a chosen
one loses its association so, and what strong features hid is seen once they are in: a search that
is strict from its first step stops before that.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from assistant.tasks.radiomics.cohort.association import passed
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome, Whole

_NEWTON = 30
_BLOCK = 2048
_COLLINEAR = 1e-3
_STRICTER = 0.6
"""Each column is looked at anew at every step, and so has several chances; by simulation
(`bench.cohort_simulation`) the share of false ones stays below twice the rate with this."""

_GENEROUS = 8
"""Of the rate on the way in; at most 0.4."""

_CASES_EACH, _AT_LEAST = 20, 8
"""Cases for each column that is taken in: a model of more fits chance, and its tests with it."""

_RIDGE = 1.0
"""Of the logistic model, for z-scores: where few cases are nearly parted, weights grow without
bound, and tests beside them find too much."""


def conditional(z: Floats, outcome: Outcome, rate: float, most: int) -> tuple[Whole, Floats]:
    """(columns in the order they were taken, the p-value of each beside the others); ``z``:
    z-scores.  At the end the weakest are given up first."""
    generous = min(_GENEROUS * rate, 0.4)
    most = min(most, len(z) // 8, max(_AT_LEAST, len(z) // _CASES_EACH))
    chosen: list[int] = []
    while len(chosen) < most:
        p = _p(z, outcome, chosen)
        best = int(np.argmin(p))
        if not _holds(p, best, chosen, generous):
            break
        chosen.append(best)
    while chosen:
        found = _beside_the_others(z[:, chosen], outcome)
        worst = int(np.argmax(found))
        if found[worst] <= _STRICTER * rate * len(chosen) / z.shape[1]:
            break
        del chosen[worst]
    found = _beside_the_others(z[:, chosen], outcome) if chosen else np.empty(0)
    return np.array(chosen, dtype=np.int64), found


def _beside_the_others(z: Floats, outcome: Outcome) -> Floats:
    """p-value of each column given all the others."""
    places = range(z.shape[1])
    each = [_p(z, outcome, [other for other in places if other != p])[p] for p in places]
    return np.array(each)


def _holds(p: Floats, column: int, chosen: list[int], rate: float) -> bool:
    """Whether a column passes beside those ``chosen``, which are discoveries already."""
    counted = p.copy()
    counted[chosen] = 0.0
    return bool(passed(counted, rate)[column])


def _p(z: Floats, outcome: Outcome, chosen: list[int]) -> Floats:
    """p-value of each column given those ``chosen``; 1 for these and for what they determine."""
    base = z[:, chosen]
    chi2 = np.zeros(z.shape[1])
    weights = _Cox(base, outcome) if outcome.is_survival else _Logistic(base, outcome)
    for start in range(0, z.shape[1], _BLOCK):
        block = z[:, start : start + _BLOCK]
        gain, own, cross = weights.score(block)
        left = own.copy()
        if chosen:
            left -= (cross * np.linalg.solve(weights.information, cross)).sum(axis=0)
        usable = left > _COLLINEAR * own
        chi2[start : start + _BLOCK] = np.where(usable, gain**2 / np.where(usable, left, 1.0), 0.0)
    p: Floats = np.asarray(stats.chi2.sf(chi2, 1), dtype=np.float64)
    p[chosen] = 1.0
    return p


class _Logistic:
    """A logistic model of the chosen columns, and the score of others beside it."""

    def __init__(self, base: Floats, outcome: Outcome) -> None:
        self.base = np.column_stack([np.ones(len(outcome)), base])
        y = outcome.event.astype(np.float64)
        beta = np.zeros(self.base.shape[1])
        ridge = _RIDGE * np.eye(len(beta))
        ridge[0, 0] = 0.0
        for _ in range(_NEWTON):
            mean = 1 / (1 + np.exp(-np.clip(self.base @ beta, -30, 30)))
            self.weight = np.maximum(mean * (1 - mean), 1e-6)
            slope = self.base.T @ (y - mean) - ridge @ beta
            step = np.linalg.solve((self.base.T * self.weight) @ self.base + ridge, slope)
            beta += np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-8:
                break
        self.residual = y - 1 / (1 + np.exp(-np.clip(self.base @ beta, -30, 30)))
        whole = (self.base.T * self.weight) @ self.base + ridge
        self.whole, self.information = (
            whole,
            whole[1:, 1:] - np.outer(whole[1:, 0], whole[0, 1:]) / (whole[0, 0]),
        )

    def score(self, block: Floats) -> tuple[Floats, Floats, Floats]:
        """(score, own information, information shared with the base), the intercept taken out."""
        centred = block - (self.weight @ block) / self.weight.sum()
        own = self.weight @ (centred * centred)
        cross = (self.base[:, 1:].T * self.weight) @ centred
        return self.residual @ block, own, cross


class _Cox:
    """Cox's model of the chosen columns (Breslow), and the score of others beside it."""

    def __init__(self, base: Floats, outcome: Outcome) -> None:
        assert outcome.time is not None
        self.order = np.argsort(-outcome.time, kind="stable")
        time, self.event = outcome.time[self.order], outcome.event[self.order]
        self.at = (np.searchsorted(-time, -time, side="right") - 1)[self.event]
        self.base = base[self.order]
        beta = np.zeros(base.shape[1])
        self._weigh(beta)
        for _ in range(_NEWTON if len(beta) else 0):
            slope = (self.base[self.event] - self._mean(self.base)).sum(axis=0) - 1e-3 * beta
            step = np.linalg.solve(self.information, slope)
            beta += np.clip(step, -1, 1)
            self._weigh(beta)
            if np.abs(step).max() < 1e-8:
                break

    def _weigh(self, beta: Floats) -> None:
        self.hazard = np.exp(np.clip(self.base @ beta, -30, 30))
        self.total = np.cumsum(self.hazard)[self.at]
        self.information = self._shared(self.base) + 1e-3 * np.eye(len(beta))

    def _mean(self, block: Floats) -> Floats:
        sums = np.cumsum(block * self.hazard[:, None], axis=0)[self.at]
        return np.asarray(sums / self.total[:, None], dtype=np.float64)

    def _shared(self, block: Floats) -> Floats:
        """Base columns × those of ``block``: information summed over the events."""
        mean = self._mean(block)
        made = np.zeros((self.base.shape[1], block.shape[1]))
        # Σ over events of the weighted mean of products: each case counts once an event it is at
        # risk of, which is a sum from its own time on.
        share = self._exposure()
        made += (self.base.T * share) @ block
        return made - self._mean(self.base).T @ mean

    def _exposure(self) -> Floats:
        """A case's hazard times the baseline hazard that it lived through."""
        steps = np.zeros(len(self.hazard))
        np.add.at(steps, self.at, 1 / self.total)
        through: Floats = np.cumsum(steps[::-1])[::-1]
        return self.hazard * through

    def score(self, block: Floats) -> tuple[Floats, Floats, Floats]:
        """(score, own information, information shared with the base)."""
        block = block[self.order]
        mean = self._mean(block)
        own = self._exposure() @ (block * block) - (mean * mean).sum(axis=0)
        return (block[self.event] - mean).sum(axis=0), own, self._shared(block)
