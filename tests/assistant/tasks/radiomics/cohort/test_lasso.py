"""LASSO-CV: the same answer as scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LassoCV
from sklearn.model_selection import KFold

from assistant.tasks.radiomics.cohort.descent import gap_of
from assistant.tasks.radiomics.cohort.lasso import lasso_cv, lasso_path, penalties_of


@pytest.mark.parametrize("together", [False, True])
def test_the_penalty_and_the_coefficients_of_scikit_learn(together: bool) -> None:
    random = np.random.default_rng(2)
    x = random.standard_normal((80, 120))
    if together:
        x += np.repeat(random.standard_normal((80, 12)), 10, axis=1)
    y = x[:, 0] - 2 * x[:, 30] + x[:, 31] + random.standard_normal(80)
    folds = KFold(5)
    found = lasso_cv(x, y, list(folds.split(x)))
    wanted = LassoCV(cv=folds, max_iter=20_000).fit(x, y)
    assert found.penalty == pytest.approx(wanted.alpha_, rel=1e-9)
    exact = Lasso(alpha=wanted.alpha_, tol=1e-12, max_iter=200_000).fit(x, y)
    np.testing.assert_allclose(found.coefficients, exact.coef_, atol=1e-7)
    assert found.intercept == pytest.approx(exact.intercept_, abs=1e-7)


def test_each_point_of_the_path_is_an_optimum() -> None:
    random = np.random.default_rng(3)
    x, y = random.standard_normal((40, 60)), random.standard_normal(40)
    penalties = penalties_of(x, y, 20, 0.05)
    centred = x - x.mean(axis=0)
    for penalty, (beta, intercept) in zip(penalties, lasso_path(x, y, penalties), strict=True):
        gradient = centred.T @ (y - x @ beta - intercept) / 40
        assert np.abs(gradient).max() <= penalty * (1 + 1e-6)
        used = beta != 0
        np.testing.assert_allclose(gradient[used], penalty * np.sign(beta[used]), rtol=1e-5)


def test_an_outcome_without_spread_keeps_nothing() -> None:
    x = np.random.default_rng(1).standard_normal((30, 5))
    found = lasso_cv(x, np.ones(30), list(KFold(3).split(x)))
    assert not found.coefficients.any()
    assert found.intercept == pytest.approx(1.0)


def test_columns_that_are_the_same() -> None:
    random = np.random.default_rng(4)
    x = np.repeat(random.standard_normal((30, 3)), 2, axis=1)
    y = x[:, 0] + 0.1 * random.standard_normal(30)
    found = lasso_cv(x, y, list(KFold(3).split(x)))
    fitted = x @ found.coefficients + found.intercept
    assert np.corrcoef(fitted, y)[0, 1] > 0.98


def test_the_gap_at_zero_is_what_zero_lacks() -> None:
    target = np.array([0.5, -0.2])
    assert gap_of(target, target, np.zeros(2), 0.5, 1.0) == pytest.approx(0.0)
    assert gap_of(target, target, np.zeros(2), 0.1, 1.0) > 0
