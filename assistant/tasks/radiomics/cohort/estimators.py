"""The models that the inner folds choose from."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome
from assistant.tasks.radiomics.cohort.settings import CohortSettings

TITLES = {
    "logistic": "逻辑回归 logistic regression",
    "tree": "决策树 decision tree",
    "forest": "随机森林 random forest",
    "boosting": "梯度提升 gradient boosting (LightGBM)",
    "svm": "支持向量机 SVM (RBF)",
    "knn": "K 近邻 KNN",
    "stack": "堆叠 stack",
    "cox": "Cox 回归（弹性网络）Cox, elastic net",
    "survival_forest": "随机生存森林 random survival forest",
}
LINEAR = frozenset(("logistic", "cox"))


def estimator(kind: str, settings: CohortSettings) -> Any:
    """A new, unfitted model of scikit-learn's or scikit-survival's form; one thread each, since
    folds run beside each other."""
    seed = settings.seed
    if kind in ("cox", "survival_forest"):
        return _survival(kind, seed)
    from sklearn import ensemble, linear_model, neighbors, tree

    match kind:
        case "logistic":
            return linear_model.LogisticRegression(C=1.0, max_iter=5000)
        case "tree":
            return tree.DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=seed)
        case "forest":
            return ensemble.RandomForestClassifier(
                150, min_samples_leaf=3, random_state=seed, n_jobs=1
            )
        case "boosting":
            from lightgbm import LGBMClassifier

            return LGBMClassifier(
                n_estimators=100,
                learning_rate=0.05,
                num_leaves=7,
                min_child_samples=10,
                reg_lambda=1.0,
                random_state=seed,
                deterministic=True,
                force_row_wise=True,
                n_jobs=1,
                verbose=-1,
            )
        case "svm":
            from sklearn.calibration import CalibratedClassifierCV
            from sklearn.svm import SVC

            return CalibratedClassifierCV(SVC(gamma="scale"), cv=3, ensemble=False)
        case "knn":
            return neighbors.KNeighborsClassifier(15, weights="distance")
        case "stack":
            base = ("logistic", "tree", "boosting", "knn")
            return ensemble.StackingClassifier(
                [(name, estimator(name, settings)) for name in base],
                linear_model.LogisticRegression(max_iter=5000),
                cv=3,
            )
    raise AssertionError(kind)


def _survival(kind: str, seed: int) -> Any:
    if kind == "cox":
        from sksurv.linear_model import CoxnetSurvivalAnalysis

        return CoxnetSurvivalAnalysis(
            l1_ratio=0.5, alphas=[0.02], fit_baseline_model=True, max_iter=100_000
        )
    from sksurv.ensemble import RandomSurvivalForest

    return RandomSurvivalForest(150, min_samples_leaf=10, random_state=seed, n_jobs=1)


def fit(model: Any, x: Floats, outcome: Outcome) -> Any:
    """``model``, fitted; KNN takes no more neighbours than there are cases."""
    if hasattr(model, "n_neighbors"):
        model.set_params(n_neighbors=min(model.n_neighbors, max(1, len(x) // 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if outcome.is_survival:
            return model.fit(x, outcome.structured())
        return model.fit(x, outcome.event.astype(np.int64))


def risk(model: Any, x: Floats) -> Floats:
    """One number a case, greater for the likelier: a probability, or a survival model's risk."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(model, "predict_proba"):
            return np.asarray(model.predict_proba(x)[:, 1], dtype=np.float64)
        return np.asarray(model.predict(x), dtype=np.float64)


def survival(model: Any, x: Floats, times: Floats) -> Floats:
    """Cases × times, the probability that the event has not come; NaN beyond what was followed."""
    made = np.full((len(x), len(times)), np.nan)
    for row, curve in enumerate(model.predict_survival_function(x)):
        low, high = curve.domain
        for place, time in enumerate(times):
            if time <= high:
                made[row, place] = curve(time) if time >= low else 1.0
    return made
