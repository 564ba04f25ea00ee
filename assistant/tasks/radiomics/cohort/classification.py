"""The figures of a class that was predicted, from outer test folds alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort import roc
from assistant.tasks.radiomics.cohort.nested import Part, Study
from assistant.tasks.radiomics.cohort.outcome import Flags, Floats

_GROUPS = 10
_EDGE = 1e-6


def figures(study: Study, parts: Sequence[Part]) -> dict[str, Any]:
    """Discrimination, thresholds, calibration and net benefit; curves as lists of points.

    Of several repeats the area is the mean over all folds, its interval that of one repeat: the
    cases of another are the same.
    """
    event = study.cohort.outcome.event
    folds = [(event[np.array(p["rows"])], np.array(p["risk"], dtype=np.float64)) for p in parts]
    each = study.outer
    repeats = [folds[k : k + each] for k in range(0, len(folds), each)]
    known = np.concatenate([e for e, _ in folds])
    risk = np.concatenate([r for _, r in folds])
    false, true, _ = roc.curve(known, risk)
    return {
        "auc": _mean([roc.auc_interval(one) for one in repeats]),
        "auc_by_fold": [round(roc.auc(e, r), 6) for e, r in folds],
        "auc_pooled": roc.auc(known, risk),
        "roc": {"false_positive": false.tolist(), "true_positive": true.tolist()},
        "thresholds": _thresholds(study, parts, len(repeats)),
        "calibration": calibration(known, risk),
        "decision": decision(known, risk),
        "brier": float(np.mean((risk - known) ** 2)),
    }


def _mean(found: Sequence[roc.Interval]) -> dict[str, float]:
    return {
        "value": float(np.mean([f.value for f in found])),
        "low": float(np.mean([f.low for f in found])),
        "high": float(np.mean([f.high for f in found])),
    }


def _thresholds(study: Study, parts: Sequence[Part], repeats: int) -> list[dict[str, Any]]:
    """Sensitivity and specificity: at the chosen probabilities, and at thresholds that each outer
    fold took from its training cases."""
    event = study.cohort.outcome.event
    least = study.settings.min_sensitivity
    rules: list[tuple[str, Any]] = [
        (f"概率 ≥ {value:g}", lambda part, v=value: v) for value in study.settings.thresholds
    ]
    rules.append(("约登指数（取自训练折）Youden", lambda part: part["cuts"]["youden"]))
    rules.append((f"灵敏度 ≥ {least:.0%}（取自训练折）", lambda part: part["cuts"]["sensitivity"]))
    made = []
    for name, cut in rules:
        said = np.concatenate([np.array(p["risk"]) >= cut(p) for p in parts])
        known = np.concatenate([event[np.array(p["rows"])] for p in parts])
        made.append({"name": name, **_counted(said, known, repeats)})
    return made


def _counted(said: Flags, known: Flags, repeats: int) -> dict[str, Any]:
    pairs = {
        "sensitivity": (said & known, known),
        "specificity": (~said & ~known, ~known),
        "positive_predictive_value": (said & known, said),
        "negative_predictive_value": (~said & ~known, ~said),
    }
    made: dict[str, Any] = {}
    for name, (right, of) in pairs.items():
        # A case that is in several repeats is one case to the interval.
        found = roc.wilson(round(int(right.sum()) / repeats), round(int(of.sum()) / repeats))
        made[name] = {"value": found.value, "low": found.low, "high": found.high}
    return made


def calibration(event: Flags, risk: Floats) -> dict[str, Any]:
    """Intercept (of log-odds, slope held at 1), slope, and groups of equal size: mean probability,
    share seen with its interval (Van Calster et al. 2019)."""
    logit = np.log(np.clip(risk, _EDGE, 1 - _EDGE) / (1 - np.clip(risk, _EDGE, 1 - _EDGE)))
    y = event.astype(np.float64)
    ones = np.ones((len(y), 1))
    large = logistic(ones, y, logit)
    both = logistic(np.column_stack([ones, logit]), y)
    groups = []
    for rows in np.array_split(np.argsort(risk, kind="stable"), min(_GROUPS, len(y) // 10 or 1)):
        seen = roc.wilson(int(event[rows].sum()), len(rows))
        groups.append(
            {
                "predicted": float(risk[rows].mean()),
                "observed": seen.value,
                "low": seen.low,
                "high": seen.high,
                "cases": len(rows),
            }
        )
    return {"intercept": float(large[0]), "slope": float(both[1]), "groups": groups}


def logistic(x: Floats, y: Floats, offset: Floats | None = None) -> Floats:
    """Coefficients of a logistic regression of ``y`` on ``x`` (with its column of ones), by
    Newton's method; steps are held, so that classes that can be told apart give large numbers
    rather than none."""
    beta = np.zeros(x.shape[1])
    base = np.zeros(len(y)) if offset is None else offset
    for _ in range(50):
        mean = 1 / (1 + np.exp(-np.clip(base + x @ beta, -30, 30)))
        weight = np.maximum(mean * (1 - mean), 1e-9)
        step = np.linalg.solve((x.T * weight) @ x + 1e-9 * np.eye(x.shape[1]), x.T @ (y - mean))
        beta += np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return beta


def decision(event: Flags, risk: Floats) -> dict[str, list[float]]:
    """Net benefit by threshold probability, beside treating all (Vickers and Elkin 2006)."""
    at = np.arange(1, 100) / 100
    odds = at / (1 - at)
    n = len(event)
    said = risk[:, None] >= at
    true = (said & event[:, None]).sum(axis=0) / n
    false = (said & ~event[:, None]).sum(axis=0) / n
    share = float(event.mean())
    return {
        "threshold": at.tolist(),
        "model": (true - false * odds).tolist(),
        "all": (share - (1 - share) * odds).tolist(),
    }
