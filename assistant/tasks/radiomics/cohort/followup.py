"""The figures of a survival model, from outer test folds alone."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort.concordance import concordance, concordance_interval
from assistant.tasks.radiomics.cohort.nested import Part, Study
from assistant.tasks.radiomics.cohort.outcome import Flags, Floats, Outcome, Whole

_DRAWS = 200
GROUPS = (("low", "低风险"), ("high", "高风险"))


def figures(study: Study, parts: Sequence[Part]) -> dict[str, Any]:
    """C-index, risk groups with Kaplan-Meier curves and log-rank test, and figures by year.

    Groups and curves are of the first repeat, in which each case stands once.
    """
    outcome = study.cohort.outcome
    folds = [(outcome.take(np.array(p["rows"])), np.array(p["risk"])) for p in parts]
    each = study.outer
    found = [concordance_interval(folds[k : k + each]) for k in range(0, len(folds), each)]
    first = parts[:each]
    rows = np.concatenate([np.array(p["rows"], dtype=np.int64) for p in first])
    fold = np.concatenate([np.full(len(p["rows"]), k) for k, p in enumerate(first)])
    risk = np.concatenate([np.array(p["risk"]) for p in first])
    high = np.concatenate([np.array(p["risk"]) >= p["cuts"]["median"] for p in first])
    alive = np.array([line for p in first for line in p["survival"]], dtype=np.float64)
    known = outcome.take(rows)
    return {
        "c_index": {
            name: float(np.mean([getattr(f, name) for f in found]))
            for name in ("value", "low", "high")
        },
        "c_index_by_fold": [round(concordance(o, r), 6) for o, r in folds],
        "groups": [
            {"name": name, "title": title, **_group(known.take(np.flatnonzero(high == (k == 1))))}
            for k, (name, title) in enumerate(GROUPS)
        ],
        "log_rank_p": log_rank(known, high),
        "years": [
            _year(study, known, fold, risk, high, alive, place)
            for place in range(len(study.horizons))
        ],
    }


def kaplan_meier(outcome: Outcome) -> dict[str, list[float]]:
    """Time, survival and its 95 % interval (log-log)."""
    if not outcome.event.any():
        return {"time": [], "survival": [], "low": [], "high": []}
    from sksurv.nonparametric import kaplan_meier_estimator

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        time, survival, interval = kaplan_meier_estimator(
            outcome.event, outcome.time, conf_type="log-log"
        )
    low, high = np.nan_to_num(interval[0], nan=0.0), np.nan_to_num(interval[1], nan=1.0)
    return {
        "time": time.tolist(),
        "survival": survival.tolist(),
        "low": low.tolist(),
        "high": high.tolist(),
    }


def log_rank(outcome: Outcome, high: Flags) -> float | None:
    """p of the log-rank test between two groups; None where one is empty."""
    if high.all() or not high.any():
        return None
    from sksurv.compare import compare_survival

    return float(compare_survival(outcome.structured(), high.astype(np.int64))[1])


def _group(outcome: Outcome) -> dict[str, Any]:
    return {
        "cases": len(outcome),
        "events": int(outcome.event.sum()),
        "curve": kaplan_meier(outcome),
    }


def at_time(curve: dict[str, list[float]], time: float) -> dict[str, float] | None:
    """Survival at a time with its interval; None beyond the last case."""
    if not curve["time"] or time > curve["time"][-1]:
        return None
    place = int(np.searchsorted(curve["time"], time, side="right")) - 1
    if place < 0:
        return {"value": 1.0, "low": 1.0, "high": 1.0}
    return {
        "value": curve["survival"][place],
        "low": curve["low"][place],
        "high": curve["high"][place],
    }


def _year(
    study: Study,
    outcome: Outcome,
    fold: Whole,
    risk: Floats,
    high: Flags,
    alive: Floats,
    place: int,
) -> dict[str, Any]:
    time = float(study.horizons[place])
    made: dict[str, Any] = {"year": study.settings.years[place], "auc": None, "groups": []}
    value = timed_auc(outcome, fold, risk, time)
    if np.isfinite(value):
        random = np.random.default_rng(study.settings.seed)
        draws = [
            timed_auc(outcome.take(rows), fold[rows], risk[rows], time)
            for rows in (random.integers(0, len(risk), len(risk)) for _ in range(_DRAWS))
        ]
        low, up = np.nanpercentile(draws, [2.5, 97.5])
        made["auc"] = {"value": value, "low": float(low), "high": float(up)}
    for k, (name, title) in enumerate(GROUPS):
        rows = np.flatnonzero(high == (k == 1))
        seen = at_time(kaplan_meier(outcome.take(rows)), time)
        predicted = alive[rows, place]
        whole = len(rows) and np.isfinite(predicted).all()
        made["groups"].append(
            {
                "name": name,
                "title": title,
                "observed": seen,
                "predicted": float(predicted.mean()) if whole else None,
            }
        )
    return made


def timed_auc(outcome: Outcome, fold: Whole, risk: Floats, time: float) -> float:
    """Cumulative/dynamic AUC at ``time`` with inverse probability of censoring weights (Uno et al.
    2007), over pairs of one fold; NaN where there is no pair."""
    assert outcome.time is not None
    came = outcome.event & (outcome.time <= time)
    lived = outcome.time > time
    if not came.any() or not lived.any():
        return float("nan")
    weight = np.zeros(len(risk))
    weight[came] = 1 / np.maximum(_uncensored(outcome)[came], 1e-3)
    pairs = weight[:, None] * (came[:, None] & lived[None, :] & (fold[:, None] == fold[None, :]))
    total = pairs.sum()
    right = (risk[:, None] > risk) + 0.5 * (risk[:, None] == risk)
    return float((pairs * right).sum() / total) if total else float("nan")


def _uncensored(outcome: Outcome) -> Floats:
    """Of each case, the probability of not being lost up to its time (Kaplan-Meier)."""
    assert outcome.time is not None
    times, place = np.unique(outcome.time, return_inverse=True)
    events = np.bincount(place, outcome.event, len(times))
    gone = np.bincount(place, ~outcome.event, len(times))
    # Of one moment, an event comes before a loss.
    at_risk = np.cumsum((events + gone)[::-1])[::-1] - events
    kept = np.cumprod(1 - gone / np.maximum(at_risk, 1))
    return np.asarray(kept[place], dtype=np.float64)
