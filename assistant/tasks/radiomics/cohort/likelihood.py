"""The likelihood of a few columns, and how much another one would add to it.

Columns are z-scores; their weights have a normal prior around zero, `spread` wide, so that a model
is there even where few cases are nearly parted.  What another column adds is taken from the slope
and curvature of the likelihood where its weight is zero (a score test): one product of matrices
tells it of all columns at once.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome

_NEWTON = 30
_SMALL = 1e-8


class Fit(Protocol):
    """A model of some columns at its most probable weights.

    ``weights``: one a column.  ``information``: columns × columns, the curvature with the prior's.
    ``log_likelihood``: at the weights, without the prior.
    """

    weights: Floats
    information: Floats
    log_likelihood: float

    def score(self, block: Floats, squares: Floats) -> tuple[Floats, Floats, Floats]:
        """Of each other column (``block``: cases × columns; ``squares`` of the same): slope, own
        curvature, and the curvature that it shares with those of the model (columns × others)."""


def fit(base: Floats, outcome: Outcome, spread: float, start: Floats | None = None) -> Fit:
    """The model of the columns of ``base`` (cases × columns); ``start``: weights to begin at."""
    kind = Cox if outcome.is_survival else Logistic
    return kind(base, outcome, spread, start)


class Logistic:
    """A logistic model; its intercept has no prior and is taken out of every curvature."""

    def __init__(
        self, base: Floats, outcome: Outcome, spread: float, start: Floats | None = None
    ) -> None:
        self._base = np.column_stack([np.ones(len(outcome)), base])
        y = outcome.event.astype(np.float64)
        beta = np.zeros(self._base.shape[1])
        if start is not None:
            beta[1:] = start
        ridge = np.eye(len(beta)) / spread**2
        ridge[0, 0] = 0.0
        for _ in range(_NEWTON):
            mean, whole = self._curvature(beta, ridge)
            step = np.linalg.solve(whole, self._base.T @ (y - mean) - ridge @ beta)
            beta += np.clip(step, -2, 2)
            if np.abs(step).max() < _SMALL:
                break
        mean, whole = self._curvature(beta, ridge)
        self._residual = y - mean
        eta = self._base @ beta
        self.log_likelihood = float(y @ eta - np.logaddexp(0, eta).sum())
        self.weights = beta[1:]
        self.information = whole[1:, 1:] - np.outer(whole[1:, 0], whole[0, 1:]) / whole[0, 0]

    def _curvature(self, beta: Floats, ridge: Floats) -> tuple[Floats, Floats]:
        mean = 1 / (1 + np.exp(-np.clip(self._base @ beta, -30, 30)))
        self._weight = np.maximum(mean * (1 - mean), 1e-6)
        return mean, (self._base.T * self._weight) @ self._base + ridge

    def score(self, block: Floats, squares: Floats) -> tuple[Floats, Floats, Floats]:
        """See `Fit`."""
        rows = np.vstack([self._residual, self._base.T * self._weight])
        made = rows @ block
        mean = made[1] / self._weight.sum()
        own = self._weight @ squares - made[1] * mean
        shared = (self._base[:, 1:].T @ self._weight)[:, None] * mean
        return made[0] - self._residual.sum() * mean, own, made[2:] - shared


class Cox:
    """Cox's model, with Breslow's way of ties."""

    def __init__(
        self, base: Floats, outcome: Outcome, spread: float, start: Floats | None = None
    ) -> None:
        assert outcome.time is not None
        self.order = np.argsort(-outcome.time, kind="stable")
        time, self._event = outcome.time[self.order], outcome.event[self.order]
        # At risk at a time are all that come before it in this order, and those tied with it.
        self._at = (np.searchsorted(-time, -time, side="right") - 1)[self._event]
        self._base = base[self.order]
        beta = np.zeros(base.shape[1]) if start is None else start.astype(np.float64)
        ridge = np.eye(len(beta)) / spread**2
        self._weigh(beta, ridge)
        for _ in range(_NEWTON if len(beta) else 0):
            slope = (self._base[self._event] - self._mean(self._base)).sum(axis=0) - ridge @ beta
            step = np.linalg.solve(self.information, slope)
            beta = beta + np.clip(step, -1, 1)
            self._weigh(beta, ridge)
            if np.abs(step).max() < _SMALL:
                break
        eta = self._base @ beta
        self.log_likelihood = float(eta[self._event].sum() - np.log(self._total).sum())
        self.weights = beta

    def _weigh(self, beta: Floats, ridge: Floats) -> None:
        self.hazard = np.exp(np.clip(self._base @ beta, -30, 30))
        self._total = np.cumsum(self.hazard)[self._at]
        self.information = self._shared(self._base, self._mean(self._base)) + ridge

    def _mean(self, block: Floats) -> Floats:
        """Events × columns: the mean of those at risk, by their hazards."""
        sums = np.cumsum(block * self.hazard[:, None], axis=0)[self._at]
        return np.asarray(sums / self._total[:, None], dtype=np.float64)

    def _shared(self, block: Floats, mean: Floats) -> Floats:
        """Base columns × those of ``block``: curvature summed over the events."""
        return np.asarray(
            (self._base.T * self._exposure()) @ block - self._mean(self._base).T @ mean
        )

    def _exposure(self) -> Floats:
        """A case's hazard times the baseline hazard that it lived through: each case counts once
        an event it is at risk of, which is a sum from its own time on."""
        steps = np.zeros(len(self.hazard))
        np.add.at(steps, self._at, 1 / self._total)
        through: Floats = np.cumsum(steps[::-1])[::-1]
        return self.hazard * through

    def score(self, block: Floats, squares: Floats) -> tuple[Floats, Floats, Floats]:
        """See `Fit`."""
        block = block[self.order]
        mean = self._mean(block)
        own = self._exposure() @ squares[self.order] - (mean * mean).sum(axis=0)
        gain = self._event.astype(np.float64) @ block - mean.sum(axis=0)
        return gain, own, self._shared(block, mean)
