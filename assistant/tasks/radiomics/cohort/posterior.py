"""How probable it is that a column belongs to the model, given all the others.

A prior over models: as many columns as you like are as probable as any other number of them, and
so more columns that are looked at make each less probable (Scott and Berger 2010); a weight is
normal around zero, with the spread under which the data are most probable.  Models are walked
through by a jump process: in each, every column is told how probable it is beside those that are
in, and one of them is turned in or out; how long a model is held weighs what it said (Zanella
2020; Mohammadi and Wit 2015).  Marginal likelihoods are Laplace's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assistant.tasks.radiomics.cohort.likelihood import Fit, fit
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome, Whole

_SPREADS = (0.2, 0.35, 0.6, 1.0)
_ANEW = 20
"""Jumps after which all columns are looked at again; between, only the nearest."""

_NEAREST = 200
_COLLINEAR = 1e-3
_NEGLIGIBLE = 0.01
_CASES_EACH = 6
"""At least so many cases for each column of a model."""


@dataclass
class _State:
    """A model, and the log-odds of every column beside the others that are in."""

    chosen: list[int]
    odds: Floats


class Posterior:
    """Walks through models of the columns of ``z`` (z-scores, cases × columns)."""

    def __init__(self, z: Floats, outcome: Outcome, seed: int) -> None:
        self._z, self._squares, self._outcome = z, z * z, outcome
        self._random = np.random.default_rng(seed)
        self._spread = _SPREADS[2]
        self._most = max(1, min(z.shape[1], len(z) // _CASES_EACH))
        self._everything = np.arange(z.shape[1])

    def probabilities(self, jumps: int) -> Floats:
        """Of each column, from ``jumps`` jumps after a quarter as many that are not counted."""
        state = self._forward()
        before = max(1, jumps // 4)
        total, time = np.zeros(self._z.shape[1]), 0.0
        for number in range(before + jumps):
            rates = _probability(state.odds)
            inside = rates.copy()
            rates[state.chosen] = 1 - rates[state.chosen]
            if len(state.chosen) >= self._most:
                out = np.ones(len(rates), dtype=bool)
                out[state.chosen] = False
                rates[out] = 0.0
            whole = float(rates.sum())
            if number >= before:
                total += inside / whole
                time += 1 / whole
            self._turn(state, int(self._random.choice(len(rates), p=rates / whole)))
            if number < before and number % 10 == 0:
                self._fit_spread(state.chosen)
            self._look(state, wholly=number % _ANEW == 0)
        made: Floats = total / time
        return made

    def _forward(self) -> _State:
        """A model to begin with: in goes what is at all probable, the best first."""
        state = _State([], np.zeros(self._z.shape[1]))
        self._look(state, wholly=True)
        while len(state.chosen) < self._most // 2:
            left = state.odds.copy()
            left[state.chosen] = -np.inf
            best = int(np.argmax(left))
            if left[best] < -2:
                break
            self._turn(state, best)
            self._look(state, wholly=True)
        self._fit_spread(state.chosen)
        self._look(state, wholly=True)
        return state

    def _turn(self, state: _State, column: int) -> None:
        if column in state.chosen:
            state.chosen.remove(column)
        else:
            state.chosen.append(column)

    def _look(self, state: _State, wholly: bool) -> None:
        """Bring the log-odds to the model as it is."""
        chosen = state.chosen
        p, k = self._z.shape[1], len(chosen)
        model = fit(self._z[:, chosen], self._outcome, self._spread)
        places = self._everything
        if not wholly and p > _NEAREST:
            places = np.argpartition(-state.odds, _NEAREST)[:_NEAREST]
        state.odds[places] = self._added(model, places) + np.log((k + 1) / max(p - k, 1))
        if k:
            inverse = np.linalg.inv(model.information)
            own = np.diag(inverse)
            kept = 0.5 * np.log(own / self._spread**2) + model.weights**2 / (2 * own)
            state.odds[chosen] = kept + np.log(k / (p - k + 1))

    def _added(self, model: Fit, places: Whole) -> Floats:
        """Log of the Bayes factor of each of these columns."""
        whole = len(places) == len(self._everything)
        block = self._z if whole else self._z[:, places]
        squares = self._squares if whole else self._squares[:, places]
        gain, own, shared = model.score(block, squares)
        left = own.copy()
        if len(shared):
            left -= (shared * np.linalg.solve(model.information, shared)).sum(axis=0)
        usable = left > _COLLINEAR * np.maximum(own, 1e-12)
        left = np.where(usable, left, 0.0)
        precision = left + 1 / self._spread**2
        factor = 0.5 * gain**2 / precision - 0.5 * np.log(precision * self._spread**2)
        return np.where(usable, factor, -50.0)

    def _fit_spread(self, chosen: list[int]) -> None:
        """The spread under which the data are most probable, given this model."""
        if chosen:
            base = self._z[:, chosen]
            found = [log_marginal(fit(base, self._outcome, s), s) for s in _SPREADS]
            self._spread = _SPREADS[int(np.argmax(found))]


def log_marginal(model: Fit, spread: float) -> float:
    """Laplace's, up to what is the same for all models of the same cases."""
    k = len(model.weights)
    if not k:
        return model.log_likelihood
    prior = -0.5 * float(model.weights @ model.weights) / spread**2 - k * np.log(spread)
    return model.log_likelihood + prior - 0.5 * float(np.linalg.slogdet(model.information)[1])


def _probability(log_odds: Floats) -> Floats:
    made: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -50, 50)))
    return made


@dataclass(frozen=True)
class Group:
    """Columns that say the same: ``column`` stands for them, ``alike`` are the others."""

    column: int
    probability: float
    alike: tuple[int, ...] = ()


def groups(z: Floats, probability: Floats, alike: float) -> list[Group]:
    """Columns that are at all probable, the most probable first; those that correlate above
    ``alike`` share one probability, since a model needs but one of them."""
    order = [
        int(c) for c in np.argsort(-probability, kind="stable") if probability[c] > _NEGLIGIBLE
    ]
    near = np.abs(np.atleast_2d(np.corrcoef(z[:, order], rowvar=False))) > alike
    made, open_ = [], np.ones(len(order), dtype=bool)
    for place, column in enumerate(order):
        if open_[place]:
            mine = open_ & near[place]
            mine[place] = True
            open_ &= ~mine
            members = [order[other] for other in np.flatnonzero(mine)]
            whole = min(1.0, float(probability[members].sum()))
            made.append(Group(column, whole, tuple(m for m in members if m != column)))
    return sorted(made, key=lambda group: -group.probability)


def discoveries(found: Sequence[Group], rate: float) -> list[Group]:
    """The most groups, the most probable first, whose mean probability of being false is at most
    ``rate`` (Newton et al. 2004)."""
    false = np.array([1 - group.probability for group in found])
    mean = np.cumsum(false) / np.arange(1, len(false) + 1)
    return list(found[: int(np.searchsorted(mean, rate, side="right"))])
