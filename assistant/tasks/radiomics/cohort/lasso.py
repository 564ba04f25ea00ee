"""LASSO with its penalty chosen by cross-validation, the same as scikit-learn's and faster.

Per penalty of the path: a working set by the sequential strong rule (Tibshirani et al. 2012), and
coordinate descent on its Gram matrix, which grows with it.  What was left out is held against the
conditions of the optimum and taken in where it breaks them.  Within folds the duality gap ends the
descent where scikit-learn's default ends it; the fit that is given is solved to the end, by the
linear system of the active set, which is exact where the signs hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import linalg
from threadpoolctl import threadpool_limits

from assistant.tasks.radiomics.cohort.descent import descend
from assistant.tasks.radiomics.cohort.outcome import Floats, Whole

_PASSES = 20
_MOST_PASSES = 1000
_ROUNDS = 100
_ROUGH, _EXACT = 1e-4, 1e-14
"""Duality gaps, as shares of the mean square of the outcome."""
Fold = tuple[Whole, Whole]


@dataclass(frozen=True)
class LassoFit:
    """``errors``: penalties × folds, the mean squared error of each fold's test cases."""

    coefficients: Floats
    intercept: float
    penalty: float
    penalties: Floats
    errors: Floats


def penalties_of(x: Floats, y: Floats, count: int = 100, least: float = 1e-3) -> Floats:
    """From the least penalty that keeps nothing, down by a geometric series."""
    most = float(np.abs((y - y.mean()) @ (x - x.mean(axis=0))).max()) / len(y)
    most = max(most, float(np.finfo(np.float64).resolution))
    return np.geomspace(most, most * least, count)


def lasso_path(
    x: Floats, y: Floats, penalties: Floats, gap: float = _EXACT
) -> Iterator[tuple[Floats, float]]:
    """(coefficients, intercept) for each penalty, which come in falling order.

    Minimises |y − Xb − a|² / 2n + penalty·|b|₁ over cases × features ``x``.
    """
    mean, level = x.mean(axis=0), float(y.mean())
    path = _Path(np.asfortranarray(x - mean), y - level, gap)
    steps = [float(penalties[0]), *map(float, penalties)]
    for before, penalty in pairwise(steps):
        beta = path.solve(penalty, before)
        yield beta, level - float(mean @ beta)


def lasso(x: Floats, y: Floats, penalties: Floats) -> tuple[Floats, float]:
    """(coefficients, intercept) for the last of ``penalties``; those before it lead there."""
    mean, level = x.mean(axis=0), float(y.mean())
    path = _Path(np.asfortranarray(x - mean), y - level, _ROUGH)
    steps = [float(penalties[0]), *map(float, penalties)]
    for before, penalty in pairwise(steps):
        path.solve(penalty, before)
    path.gap = _EXACT * path.square
    beta = path.solve(steps[-1], steps[-1])
    return beta, level - float(mean @ beta)


def lasso_cv(x: Floats, y: Floats, folds: Sequence[Fold], threads: int = 2) -> LassoFit:
    """The path of all cases, and of it the penalty with the least mean error over ``folds``."""
    penalties = penalties_of(x, y)
    # Products this small take longer where BLAS shares them out, and far longer where each of
    # several folds does so: a fold keeps to its own thread.
    with threadpool_limits(1, "blas"):
        with ThreadPoolExecutor(max(1, threads)) as pool:
            columns = list(pool.map(lambda fold: _errors(x, y, fold, penalties), folds))
        errors = np.array(columns).T
        best = int(np.argmin(errors.mean(axis=1)))
        beta, intercept = lasso(x, y, penalties[: best + 1])
    return LassoFit(beta, intercept, float(penalties[best]), penalties, errors)


def _errors(x: Floats, y: Floats, fold: Fold, penalties: Floats) -> list[float]:
    train, test = fold
    found = []
    for beta, intercept in lasso_path(x[train], y[train], penalties, _ROUGH):
        used = np.flatnonzero(beta)
        found.append(
            float(np.mean((y[test] - x[np.ix_(test, used)] @ beta[used] - intercept) ** 2))
        )
    return found


class _Path:
    """The state that one penalty hands to the next.

    ``columns``: the working set; ``gram``, ``target`` and ``inner``: its Gram matrix, its products
    with the outcome and its coefficients.
    """

    def __init__(self, x: Floats, y: Floats, gap: float) -> None:
        self.x, self.y = x, y
        self.square = float(y @ y / len(y))
        self.gap = gap * self.square
        self.gradient: Floats = x.T @ y / len(y)
        self.columns: Whole = np.empty(0, dtype=np.int64)
        self.part: Floats = np.empty((len(y), 0), order="F")
        self.gram: Floats = np.empty((0, 0))
        self.target: Floats = np.empty(0)
        self.inner: Floats = np.empty(0)

    def solve(self, penalty: float, before: float) -> Floats:
        """Coefficients of every column; ``before``: the penalty before this."""
        self._take_in(np.abs(self.gradient) >= 2 * penalty - before)
        for _ in range(_ROUNDS):
            self._minimise(penalty)
            used = np.flatnonzero(self.inner)
            residual = self.y - self.part[:, used] @ self.inner[used]
            self.gradient = self.x.T @ residual / len(self.y)
            if not self._take_in(np.abs(self.gradient) > penalty * (1 + 1e-9) + 1e-12):
                break
        beta = np.zeros(self.x.shape[1])
        beta[self.columns] = self.inner
        return beta

    def _take_in(self, wanted: Any) -> bool:
        """Add columns to the working set; whether there were any."""
        wanted[self.columns] = False
        new = np.flatnonzero(wanted)
        if not len(new):
            return False
        n, old = len(self.y), len(self.columns)
        part = np.asfortranarray(np.hstack([self.part, self.x[:, new]]))
        gram = np.empty((old + len(new),) * 2)
        gram[:old, :old] = self.gram
        gram[old:] = part[:, old:].T @ part / n
        gram[:old, old:] = gram[old:, :old].T
        self.part, self.gram = part, gram
        self.target = np.append(self.target, part[:, old:].T @ self.y / n)
        self.inner = np.append(self.inner, np.zeros(len(new)))
        self.columns = np.append(self.columns, new)
        return True

    def _minimise(self, penalty: float) -> None:
        gradient = self.target - self.gram @ self.inner

        def reached(passes: int) -> bool:
            state = self.gram, gradient, self.target, self.inner
            return bool(descend(*state, penalty, self.square, self.gap, passes))

        if self.gap > _ROUGH / 2 * self.square:
            reached(_MOST_PASSES)
            return
        for _ in range(_ROUNDS):
            if reached(_PASSES):
                return
            exact = _exact(self.gram, self.target, self.inner, penalty)
            if exact is not None:
                self.inner, gradient = exact
        reached(20 * _MOST_PASSES)


def _exact(gram: Floats, target: Floats, beta: Floats, penalty: float) -> Any:
    """The minimum for the signs of ``beta``, or the step towards it until the first sign turns:
    then (coefficients, gradient); None where the system has no single answer."""
    used = np.flatnonzero(beta)
    if not len(used):
        return None
    signs = np.sign(beta[used])
    try:
        factor = linalg.cho_factor(gram[np.ix_(used, used)], check_finite=False)
    except linalg.LinAlgError:
        return None
    aim = linalg.cho_solve(factor, target[used] - penalty * signs, check_finite=False)
    now = beta[used]
    turns = aim * signs < 0
    if turns.any():
        share = now[turns] / (now[turns] - aim[turns])
        least = float(share.min())
        aim = now + least * (aim - now)
        aim[np.flatnonzero(turns)[share <= least]] = 0.0
    made = np.zeros_like(beta)
    made[used] = aim
    return made, target - gram[:, used] @ aim
