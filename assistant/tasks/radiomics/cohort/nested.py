"""Nested cross-validation: inner folds choose the model, outer folds judge the choosing.

Whatever learns is fitted within `inner_part` or `outer_part`, which are given training rows and
test rows; the test rows' outcomes are read only to score.  There is no other way from the table to
a figure, so that no step can have seen what it is judged on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort import estimators, roc
from assistant.tasks.radiomics.cohort.concordance import concordance
from assistant.tasks.radiomics.cohort.journal import Journal
from assistant.tasks.radiomics.cohort.model import Candidate, candidates, fit_model, prepare
from assistant.tasks.radiomics.cohort.outcome import PER_YEAR, Floats, Outcome, Whole
from assistant.tasks.radiomics.cohort.screening import screen
from assistant.tasks.radiomics.cohort.selection import Selection, folds_of
from assistant.tasks.radiomics.cohort.settings import CohortSettings, outer_count
from assistant.tasks.radiomics.cohort.table import Cohort

Part = dict[str, Any]
Report = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Study:
    """What a part of the work needs."""

    cohort: Cohort
    settings: CohortSettings
    icc: Mapping[str, float]

    @property
    def outer(self) -> int:
        """How many outer folds a repeat has."""
        event = self.cohort.outcome.event
        return outer_count(self.settings, int(min(event.sum(), (~event).sum())))

    @property
    def choices(self) -> tuple[Candidate, ...]:
        """What is compared."""
        return candidates(self.settings, self.cohort.outcome.is_survival)

    @property
    def horizons(self) -> Floats:
        """The years of the settings in the table's unit."""
        return np.array(self.settings.years) * PER_YEAR[self.settings.time_unit]


def outer_folds(study: Study) -> list[tuple[Whole, Whole]]:
    """(train, test) of every repeat; the last has all cases to train on and none to test."""
    s, outcome = study.settings, study.cohort.outcome
    cuts = [
        cut for r in range(s.repeats) for cut in folds_of(outcome, study.outer, s.seed + 1000 * r)
    ]
    return [*cuts, (np.arange(len(outcome)), np.empty(0, dtype=np.int64))]


def inner_folds(study: Study, train: Whole) -> list[tuple[Whole, Whole]]:
    """(train, test) within the training rows of an outer fold."""
    outcome = study.cohort.outcome.take(train)
    cuts = folds_of(outcome, study.settings.inner_folds, study.settings.seed + 7)
    return [(train[a], train[b]) for a, b in cuts]


def inner_part(study: Study, train: Whole, test: Whole) -> Part:
    """Each candidate, fitted on ``train``: its score and its numbers for ``test``."""
    cohort, settings = study.cohort, study.settings
    x, outcome, sites = cohort.x, cohort.outcome, cohort.sites
    known = outcome.take(train)
    ready = prepare(x[train], known, sites[train], cohort.names, settings, study.icc)
    z, z_test = ready.apply(x[train], sites[train]), ready.apply(x[test], sites[test])
    made: Part = {"rows": test.tolist(), "risk": {}, "score": {}}
    screened = screen(z, known, settings)
    selections: dict[str, Selection] = {
        kind: Selection(kind, settings).fit(z, known, screened) for kind in settings.selectors
    }
    done: dict[tuple[Any, ...], Floats] = {}
    for choice in study.choices:
        chosen = selections[choice.selector]
        # Two ways of selecting that come to the same columns need no second fit.
        mixed = choice.selector if chosen.weights_ is not None else ""
        key = (choice.model, mixed, *chosen.kept_.tolist())
        if key not in done:
            model = estimators.estimator(choice.model, settings)
            model = estimators.fit(model, chosen.apply(z), known)
            done[key] = estimators.risk(model, chosen.apply(z_test))
        made["risk"][choice.name] = [round(float(r), 7) for r in done[key]]
        made["score"][choice.name] = score(outcome.take(test), done[key])
    return made


def score(outcome: Outcome, risk: Floats) -> float:
    """AUC, or Harrell's C; a half where the fold cannot tell."""
    found = concordance(outcome, risk) if outcome.is_survival else roc.auc(outcome.event, risk)
    return found if np.isfinite(found) else 0.5


def choose(study: Study, inner: Sequence[Part]) -> Candidate:
    """The candidate with the greatest mean score."""
    return max(study.choices, key=lambda c: float(np.mean([p["score"][c.name] for p in inner])))


def cuts_of(study: Study, inner: Sequence[Part], choice: Candidate) -> dict[str, float]:
    """Thresholds from the inner folds' test cases, none of which is a test case outside."""
    rows = np.array([row for part in inner for row in part["rows"]], dtype=np.int64)
    risk = np.array([r for part in inner for r in part["risk"][choice.name]])
    outcome = study.cohort.outcome.take(rows)
    if outcome.is_survival:
        return {"median": float(np.median(risk))}
    return {
        "youden": roc.youden(outcome.event, risk),
        "sensitivity": roc.for_sensitivity(outcome.event, risk, study.settings.min_sensitivity),
    }


def outer_part(study: Study, train: Whole, test: Whole, inner: Sequence[Part]) -> Part:
    """The chosen candidate, fitted on all of ``train``, and its numbers for ``test``."""
    cohort = study.cohort
    choice = choose(study, inner)
    x, sites = cohort.x, cohort.sites
    known = cohort.outcome.take(train)
    model = fit_model(
        choice, x[train], known, sites[train], cohort.names, study.settings, study.icc
    )
    risk = model.risk(x[test], sites[test])
    made: Part = {
        "candidate": choice.name,
        "rows": test.tolist(),
        "risk": risk.tolist(),
        "cuts": cuts_of(study, inner, choice),
        "used": list(model.used),
        "counts": model.preparation.counts_,
    }
    if known.is_survival:
        made["cuts"] = {"median": float(np.median(model.risk(x[train], sites[train])))}
        alive = model.survival(x[test], sites[test], study.horizons)
        made["survival"] = [[None if np.isnan(v) else float(v) for v in row] for row in alive]
    return made


@dataclass(frozen=True)
class Nested:
    """``outer``: a part an outer fold.  ``inner``: those of all cases, which choose the model that
    is kept."""

    outer: tuple[Part, ...]
    inner: tuple[Part, ...]


def run(study: Study, journal: Journal, report: Report, jobs: int) -> Nested:
    """Every fold, those in ``journal`` left as they are; ``jobs`` processes."""
    folds = outer_folds(study)
    tasks: dict[str, tuple[Any, ...]] = {}
    for number, (train, _) in enumerate(folds):
        for place, (fit_on, left) in enumerate(inner_folds(study, train)):
            tasks[f"inner {number} {place}"] = (inner_part, study, fit_on, left)
    total = len(tasks) + len(folds) - 1
    inner_names = list(tasks)
    _work(tasks, journal, report, jobs, total)

    def inner_of(number: int) -> list[Part]:
        prefix = f"inner {number} "
        return [journal.done[name] for name in inner_names if name.startswith(prefix)]

    outer = {
        f"outer {number}": (outer_part, study, train, test, inner_of(number))
        for number, (train, test) in enumerate(folds[:-1])
    }
    _work(outer, journal, report, jobs, total)
    return Nested(tuple(journal.done[name] for name in outer), tuple(inner_of(len(folds) - 1)))


def _work(
    tasks: Mapping[str, tuple[Any, ...]], journal: Journal, report: Report, jobs: int, total: int
) -> None:
    open_ = {name: task for name, task in tasks.items() if name not in journal.done}
    what = "交叉验证 cross-validation"
    if jobs < 2 or len(open_) < 2:
        for name, (function, *given) in open_.items():
            report(len(journal.done), total, what)
            journal.add(name, function(*given))
    else:
        import joblib

        # One thread a process: two that each take both cores would wait for each other.
        with joblib.parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1):
            made = joblib.Parallel(return_as="generator_unordered")(
                joblib.delayed(_named)(name, *task) for name, task in open_.items()
            )
            for name, part in made:
                journal.add(name, part)
                report(len(journal.done), total, what)
    report(len(journal.done), total, what)


def _named(name: str, function: Callable[..., Part], *given: Any) -> tuple[str, Part]:
    return name, function(*given)
