"""Why a case got its number: what each feature added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort import estimators
from assistant.tasks.radiomics.cohort.estimators import LINEAR
from assistant.tasks.radiomics.cohort.model import FittedModel
from assistant.tasks.radiomics.cohort.outcome import Floats, Texts

BACKGROUND = 30
_ORDERS = 40


@dataclass(frozen=True)
class Explanation:
    """``base`` + Σ ``parts`` = the prediction on the scale ``unit``; ``method`` says how exact.

    ``parts``: (name, value in its own unit or None for a component, what it added).
    """

    unit: str
    method: str
    base: float
    parts: tuple[tuple[str, float | None, float], ...]

    def as_data(self) -> dict[str, Any]:
        """For JSON, the greatest part first."""
        ordered = sorted(self.parts, key=lambda part: -abs(part[2]))
        return {
            "unit": self.unit,
            "method": self.method,
            "base": self.base,
            "parts": [{"name": n, "value": v, "added": a} for n, v, a in ordered],
        }


def explain(
    model: FittedModel, x: Floats, sites: Texts, background: Floats, seed: int = 0
) -> list[Explanation]:
    """An explanation a case.  ``background``: inputs of cases that predictions are held against."""
    inputs = model.inputs(x, sites)
    if model.candidate.model in LINEAR:
        return _linear(model, x, sites)
    values = _values(model, x, sites)
    if model.candidate.model == "boosting":
        found = model.estimator.booster_.predict(inputs, pred_contrib=True)
        return [
            Explanation("log-odds", "TreeSHAP（精确）", float(row[-1]), _named(model, row[:-1], v))
            for row, v in zip(np.asarray(found), values, strict=True)
        ]
    unit = "risk" if model.candidate.model == "survival_forest" else "probability"
    base = float(estimators.risk(model.estimator, background).mean())
    return [
        Explanation(
            unit,
            "Shapley 值（抽样，可加）",
            base,
            _named(model, _shapley(model, case, background, seed), v),
        )
        for case, v in zip(inputs, values, strict=True)
    ]


def weights(model: FittedModel) -> tuple[float, Floats]:
    """(constant, a weight for each z-score that the preparation gives) of a linear model."""
    raw = model.estimator.coef_
    coefficients = raw[0] if model.candidate.model == "logistic" else raw[:, 0]
    constant = 0.0
    if model.candidate.model == "logistic":
        constant = float(model.estimator.intercept_[0])
    chosen = model.selection
    made = np.zeros(len(model.names))
    if chosen.weights_ is None or chosen.centre_ is None:
        made[chosen.kept_] = coefficients
    else:
        made[chosen.kept_] = coefficients @ chosen.weights_
        constant -= float(made[chosen.kept_] @ chosen.centre_)
    return constant, made


def _linear(model: FittedModel, x: Floats, sites: Texts) -> list[Explanation]:
    constant, weight = weights(model)
    z = model.preparation.apply(x, sites)
    values = model.preparation.harmonised(x, sites)
    unit = "log-odds" if model.candidate.model == "logistic" else "log-hazard"
    used = np.flatnonzero(weight)
    return [
        Explanation(
            unit,
            "线性（精确）",
            constant,
            tuple((model.names[j], float(v[j]), float(weight[j] * row[j])) for j in used),
        )
        for row, v in zip(z, values, strict=True)
    ]


def _values(model: FittedModel, x: Floats, sites: Texts) -> list[Floats | None]:
    if model.selection.weights_ is not None:
        return [None] * len(x)
    return list(model.preparation.harmonised(x, sites)[:, model.selection.kept_])


def _named(
    model: FittedModel, added: Floats, values: Floats | None
) -> tuple[tuple[str, float | None, float], ...]:
    return tuple(
        (name, None if values is None else float(values[place]), float(added[place]))
        for place, name in enumerate(model.input_names)
    )


def _shapley(model: FittedModel, case: Floats, background: Floats, seed: int) -> Floats:
    """Mean marginal contributions over random orders and their reverses (Štrumbelj and Kononenko
    2014): within each order they add up to the difference from the background's mean."""
    random = np.random.default_rng(seed)
    size = len(case)
    orders = [random.permutation(size) for _ in range(max(1, min(_ORDERS, 2000 // size) // 2))]
    orders += [order[::-1] for order in orders]
    steps = []
    for order in orders:
        mixed = background.copy()
        steps.append(mixed.copy())
        for place in order:
            mixed[:, place] = case[place]
            steps.append(mixed.copy())
    means = estimators.risk(model.estimator, np.concatenate(steps))
    means = means.reshape(len(orders), size + 1, len(background)).mean(axis=2)
    added = np.zeros(size)
    for order, line in zip(orders, np.diff(means, axis=1), strict=True):
        added[order] += line
    return added / len(orders)
