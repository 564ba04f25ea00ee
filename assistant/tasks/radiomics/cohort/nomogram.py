"""A linear model on paper: points a variable, their sum, and what the sum means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort import estimators
from assistant.tasks.radiomics.cohort.explanation import weights
from assistant.tasks.radiomics.cohort.model import Candidate, FittedModel, fit_model
from assistant.tasks.radiomics.cohort.nested import Study
from assistant.tasks.radiomics.cohort.outcome import Floats

_MOST = 10
_SHARES = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
SCORE = "影像组学评分 Rad-score"


@dataclass(frozen=True)
class _Line:
    """A variable's value and what it adds to the linear predictor, of each case."""

    name: str
    value: Floats
    added: Floats


def nomogram(study: Study, model: FittedModel) -> dict[str, Any]:
    """Variables with ticks (value, points), and scales of the total.

    It is the kept model where that is linear, else a linear one fitted on the same features
    (``of_model`` false).  Of more than ten image features one line is made, their weighted sum.
    """
    linear = model
    of_model = model.candidate.model in estimators.LINEAR
    if not of_model:
        kind = "cox" if study.cohort.outcome.is_survival else "logistic"
        cohort = study.cohort
        linear = fit_model(
            Candidate(model.candidate.selector, kind),
            cohort.x,
            cohort.outcome,
            cohort.sites,
            cohort.names,
            study.settings,
            study.icc,
        )
    constant, weight = weights(linear)
    lines = _lines(study, linear, weight)
    spans = [_reach(line) for line in lines]
    most = max((high - low for low, high in spans), default=0.0) or 1.0
    scale = 100 / most
    floor = constant + sum(low for low, _ in spans)
    variables = [
        _variable(line, low, high, scale) for line, (low, high) in zip(lines, spans, strict=True)
    ]
    top = sum((high - low) for low, high in spans) * scale
    return {
        "of_model": of_model,
        "variables": variables,
        "total": {"low": 0.0, "high": top},
        "scales": _scales(study, linear, floor, scale, top),
    }


def _lines(study: Study, model: FittedModel, weight: Floats) -> list[_Line]:
    cohort = study.cohort
    z = model.preparation.apply(cohort.x, cohort.sites)
    raw = model.preparation.harmonised(cohort.x, cohort.sites)
    clinical = set(study.settings.clinical)
    used = [int(j) for j in np.flatnonzero(weight)]
    images = [j for j in used if model.names[j].split("=")[0] not in clinical]
    lines = []
    if len(images) > _MOST or model.selection.weights_ is not None:
        added = z[:, images] @ weight[images]
        lines.append(_Line(SCORE, added, added))
        used = [j for j in used if j not in images]
    lines += [_Line(model.names[j], raw[:, j], z[:, j] * weight[j]) for j in used]
    return sorted(lines, key=lambda line: -float(np.ptp(line.added)))


def _reach(line: _Line) -> tuple[float, float]:
    """Without the outermost hundredth at either end; all of it for a variable of few values."""
    if len(np.unique(line.value)) <= 5:
        return float(line.added.min()), float(line.added.max())
    low, high = np.percentile(line.added, [1, 99])
    return float(low), float(high)


def _variable(line: _Line, low: float, high: float, scale: float) -> dict[str, Any]:
    """``ticks``: round values and their points; a variable of few values has these alone."""
    distinct = np.unique(line.value)
    slope, base = _straight(line)
    if len(distinct) <= 5:
        ticks = distinct
    else:
        ends = sorted(((low - base) / slope, (high - base) / slope)) if slope else [0.0, 0.0]
        ticks = round_ticks(ends[0], ends[1])
    return {
        "name": line.name,
        "points": (high - low) * scale,
        "ticks": [
            {"value": float(v), "points": (base + slope * float(v) - low) * scale} for v in ticks
        ],
    }


def _straight(line: _Line) -> tuple[float, float]:
    """(slope, base) of what is added, by value."""
    spread = float(np.ptp(line.value))
    if spread == 0:
        return 0.0, float(line.added[0])
    a, b = int(np.argmin(line.value)), int(np.argmax(line.value))
    slope = float(line.added[b] - line.added[a]) / spread
    return slope, float(line.added[a]) - slope * float(line.value[a])


def round_ticks(low: float, high: float, count: int = 6) -> Floats:
    """Round numbers within the range, about ``count``; its ends where there is no room."""
    if not high > low:
        return np.array([low])
    step = (high - low) / count
    power = 10 ** np.floor(np.log10(step))
    step = float(min((m * power for m in (1, 2, 5, 10)), key=lambda s: abs(s - step)))
    ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
    return ticks if len(ticks) > 1 else np.array([low, high])


def _scales(
    study: Study, model: FittedModel, floor: float, scale: float, top: float
) -> list[dict[str, Any]]:
    shares = np.array(_SHARES)
    if not study.cohort.outcome.is_survival:
        points = (np.log(shares / (1 - shares)) - floor) * scale
        return [_scale(f"概率（{study.cohort.positive}）", shares, points, top)]
    # S(t | x) = S0(t) ^ exp(predictor): any case gives the baseline back; one in the middle has
    # a survival that is neither 0 nor 1 to the last digit.
    cohort = study.cohort
    risk = model.risk(cohort.x, cohort.sites)
    middle = int(np.argsort(risk)[len(risk) // 2])
    one = slice(middle, middle + 1)
    alive = model.survival(cohort.x[one], cohort.sites[one], study.horizons)[0]
    baseline = alive ** np.exp(-float(risk[middle]))
    made = []
    for year, start in zip(study.settings.years, baseline, strict=True):
        if np.isfinite(start) and 0 < start < 1:
            points = (np.log(np.log(shares) / np.log(start)) - floor) * scale
            made.append(_scale(f"{year:g} 年生存率", shares, points, top))
    return made


def _scale(name: str, shares: Floats, points: Floats, top: float) -> dict[str, Any]:
    return {
        "name": name,
        "ticks": [
            {"value": float(s), "points": float(p)}
            for s, p in zip(shares, points, strict=True)
            if -1e-9 <= p <= top + 1e-9
        ],
    }
