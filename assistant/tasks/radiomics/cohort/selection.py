"""Which of the prepared columns a model is given, or which mixtures of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.association import association
from assistant.tasks.radiomics.cohort.conditional import conditional
from assistant.tasks.radiomics.cohort.lasso import lasso_cv
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome, Whole
from assistant.tasks.radiomics.cohort.screening import Screened
from assistant.tasks.radiomics.cohort.settings import CohortSettings

_FOLDS = 10


class Selection:
    """``fit`` on training cases; ``apply`` gives cases × (columns or components)."""

    def __init__(self, kind: str, settings: CohortSettings) -> None:
        self.kind, self.most, self.seed = kind, settings.max_features, settings.seed
        self.rate = settings.fdr

    def fit(self, z: Floats, outcome: Outcome, screened: Screened) -> Selection:
        """``z``: z-scores, cases × columns; ``screened``: of the same cases."""
        self.weights_: Floats | None = None
        self.centre_: Floats | None = None
        self.kept_: Whole = screened.kept
        near = z[:, self.kept_]
        if self.kind == "lasso":
            self.kept_ = self.kept_[_lasso(near, outcome, self.seed)]
        elif self.kind == "mrmr":
            self.kept_ = self.kept_[mrmr(near, outcome, self.most)]
        elif self.kind == "conditional":
            # The tests see every column: what others hide does not go with the outcome alone.
            found, _ = conditional(z, outcome, min(self.rate, 0.5), 50)
            best = self.kept_[[int(np.argmax(association(near, outcome)[0]))]]
            self.kept_ = np.sort(found) if len(found) else best
        elif self.kind in ("pca", "ica"):
            self.centre_, self.weights_ = _components(self.kind, near, self.most, self.seed)
        return self

    def apply(self, z: Floats) -> Floats:
        """Cases × what the model is given."""
        if self.weights_ is None or self.centre_ is None:
            return z[:, self.kept_]
        made: Floats = (z[:, self.kept_] - self.centre_) @ self.weights_.T
        return made

    def names(self, names: Sequence[str]) -> tuple[str, ...]:
        """What the columns of `apply` are called, given those of ``z``."""
        if self.weights_ is not None:
            return tuple(f"{self.kind.upper()}{n + 1}" for n in range(len(self.weights_)))
        return tuple(names[place] for place in self.kept_)


def mrmr(z: Floats, outcome: Outcome, most: int) -> Whole:
    """Up to ``most`` columns, each with the greatest ratio of relevance (statistic of the
    univariate test) to redundancy (mean absolute correlation with those chosen before); the
    quotient form of Ding and Peng 2005.  A correlation below what chance gives counts as that."""
    relevance, _ = association(z, outcome)
    by_chance = 1 / np.sqrt(len(z))
    near = np.abs(np.corrcoef(z, rowvar=False).reshape(z.shape[1], z.shape[1]))
    chosen = [int(np.argmax(relevance))]
    total = near[chosen[0]].copy()
    while len(chosen) < min(most, z.shape[1]):
        ratio = relevance / np.maximum(total / len(chosen), by_chance)
        ratio[chosen] = -np.inf
        chosen.append(int(np.argmax(ratio)))
        total += near[chosen[-1]]
    return np.sort(np.array(chosen, dtype=np.int64))


def _lasso(z: Floats, outcome: Outcome, seed: int) -> Whole:
    """The columns with a coefficient; the best single one where none has."""
    beta = _cox_lasso(z, outcome, seed) if outcome.is_survival else _class_lasso(z, outcome, seed)
    kept = np.flatnonzero(beta)
    if len(kept):
        return kept
    return np.array([int(np.argmax(association(z, outcome)[0]))])


def folds_of(outcome: Outcome, count: int, seed: int) -> list[tuple[Whole, Whole]]:
    """(train, test) rows, balanced by class or by whether the event was seen."""
    from sklearn.model_selection import StratifiedKFold

    least = int(min(np.bincount(outcome.strata, minlength=2)))
    if least < 2:
        from sklearn.model_selection import KFold

        return list(KFold(3, shuffle=True, random_state=seed).split(outcome.strata))
    cut = StratifiedKFold(min(count, least), shuffle=True, random_state=seed)
    return list(cut.split(outcome.strata, outcome.strata))


def _class_lasso(z: Floats, outcome: Outcome, seed: int) -> Floats:
    folds = folds_of(outcome, _FOLDS, seed)
    return lasso_cv(z, outcome.event.astype(np.float64), folds, threads=1).coefficients


def _cox_lasso(z: Floats, outcome: Outcome, seed: int) -> Floats:
    """Cox's model with the penalty whose linear predictor orders the left-out cases best."""
    from sksurv.linear_model import CoxnetSurvivalAnalysis
    from sksurv.metrics import concordance_index_censored

    def path(rows: Whole, penalties: Any = None) -> Any:
        model = CoxnetSurvivalAnalysis(
            l1_ratio=1.0, alphas=penalties, n_alphas=40, alpha_min_ratio=0.02, max_iter=10_000
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return model.fit(z[rows], outcome.take(rows).structured())

    whole = path(np.arange(len(z)))
    scores = np.zeros(len(whole.alphas_))
    for train, test in folds_of(outcome, 5, seed):
        coefficients = path(train, whole.alphas_).coef_
        held = outcome.take(test)
        for place in range(min(len(scores), coefficients.shape[1])):
            risk = z[test] @ coefficients[:, place]
            if held.event.any():
                scores[place] += concordance_index_censored(held.event, held.time, risk)[0]
    # Of equally good penalties the greatest: the fewest features.
    chosen: Floats = whole.coef_[:, int(np.argmax(scores))]
    return chosen


def _components(kind: str, z: Floats, most: int, seed: int) -> tuple[Floats, Floats]:
    """(centre, components × columns)."""
    from sklearn.decomposition import PCA, FastICA

    count = max(1, min(most, z.shape[1], len(z) - 1))
    if kind == "pca":
        found = PCA(count, svd_solver="full").fit(z)
        scale = np.sqrt(np.maximum(found.explained_variance_, 1e-12))
        return found.mean_, found.components_ / scale[:, None]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rank = int(np.linalg.matrix_rank(z - z.mean(axis=0)))
        mixed = FastICA(
            max(1, min(count, rank)), whiten="unit-variance", random_state=seed, max_iter=500
        ).fit(z)
    return mixed.mean_, mixed.components_
