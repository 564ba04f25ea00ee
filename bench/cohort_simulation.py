"""Cohorts whose truth is known: are the right features found, and does the interval hold it?

    python -m bench.cohort_simulation --runs 100

``features``: cases with a class that some of many columns decide; recall and false discoveries of
the features that the report says hold, by design (independent columns, blocks that go together).
``interval``: in how many runs the 95 % interval of the AUC covers what the kept model, and the
models of the outer folds, reach on a large table of new cases; and with shuffled outcomes a half.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant.commands.progress import progress
from assistant.tasks.radiomics.cohort import roc
from assistant.tasks.radiomics.cohort.columns import Column, Columns
from assistant.tasks.radiomics.cohort.journal import Journal
from assistant.tasks.radiomics.cohort.model import Candidate, fit_model
from assistant.tasks.radiomics.cohort.nested import Nested, Study, outer_folds, run
from assistant.tasks.radiomics.cohort.outcome import Floats, Outcome, Whole
from assistant.tasks.radiomics.cohort.settings import CohortSettings
from assistant.tasks.radiomics.cohort.stability import features
from assistant.tasks.radiomics.cohort.study import final_model
from assistant.tasks.radiomics.cohort.table import Cohort
from bench.machine import describe

_NEW = 20_000


@dataclass(frozen=True)
class Design:
    """How cases come about.  ``together``: columns of a block correlate by a half."""

    cases: int = 300
    columns: int = 200
    signals: int = 10
    effect: float = 0.8
    together: bool = False
    survival: bool = False


DESIGNS = {
    "independent": Design(),
    "blocks": Design(together=True),
    "wide": Design(columns=2000),
    "wide_more_cases": Design(cases=600, columns=2000),
    "strong": Design(cases=400, effect=1.0, together=True),
    "survival": Design(survival=True),
    "survival_blocks": Design(survival=True, together=True),
}


def truth(design: Design, seed: int) -> tuple[Whole, Floats]:
    """(places of the columns that decide, their signs); of ``seed`` alone."""
    random = np.random.default_rng(seed)
    signals = np.sort(random.choice(design.columns, design.signals, replace=False))
    return signals, random.choice([-1.0, 1.0], design.signals)


def draw(design: Design, seed: int, cases: int = 0) -> tuple[Floats, Outcome, Whole]:
    """(columns, outcome, places of the signals); the places depend on ``seed`` alone."""
    random = np.random.default_rng(seed)
    signals = np.sort(random.choice(design.columns, design.signals, replace=False))
    signs = random.choice([-1.0, 1.0], design.signals)
    if cases:
        random = np.random.default_rng(seed + 1_000_000)
    n = cases or design.cases
    x = random.standard_normal((n, design.columns))
    if design.together:
        shared = np.repeat(random.standard_normal((n, design.columns // 10)), 10, axis=1)
        x = np.sqrt(0.5) * (x + shared[:, : design.columns])
    eta = design.effect * (x[:, signals] @ signs)
    if design.survival:
        event_time, censored = random.exponential(np.exp(-eta)), random.exponential(2.0, n)
        outcome = Outcome(event_time <= censored, np.minimum(event_time, censored) * 1000)
        return x, outcome, signals
    return x, Outcome(random.random(n) < 1 / (1 + np.exp(-eta))), signals


def study(x: Floats, outcome: Outcome, settings: CohortSettings) -> Study:
    """The same as from a table."""
    names = tuple(Column(f"f{place}") for place in range(x.shape[1]))
    ids = tuple(map(str, range(len(x))))
    sites = np.full(len(x), "", dtype="U1")
    cohort = Cohort(ids, x, outcome, sites, Columns(names), "1", len(x), (), (), "")
    return Study(cohort, settings, {})


def found(design: Design, seed: int) -> tuple[float, float]:
    """(recall, share of false ones among those found)."""
    x, outcome, signals = draw(design, seed)
    made = study(x, outcome, CohortSettings())
    choice = Candidate("conditional", "cox" if design.survival else "logistic")
    cohort = made.cohort
    model = fit_model(
        choice, cohort.x, outcome, cohort.sites, cohort.names, made.settings, made.icc
    )
    names = {int(row["name"][1:]) for row in features(made, [], model)["found"]}
    true = len(names & set(signals.tolist()))
    return true / len(signals), 1 - true / len(names) if names else 0.0


def covered(design: Design, seed: int, shuffled: bool) -> dict[str, Any]:
    """One nested cross-validation: its interval, and what is true."""
    settings = CohortSettings(
        seed=seed,
        inner_folds=3,
        selectors=("conditional", "lasso"),
        models=("logistic", "knn"),
    )
    x, outcome, _ = draw(design, seed)
    if shuffled:
        outcome = Outcome(np.random.default_rng(seed).permutation(outcome.event))
    made = study(x, outcome, settings)
    with tempfile.TemporaryDirectory() as folder:
        nested = run(made, Journal(Path(folder) / "j", ""), lambda *_: None, 1)
    folds = [(outcome.event[np.array(p["rows"])], np.array(p["risk"])) for p in nested.outer]
    interval = roc.auc_interval(folds)
    if shuffled:
        final = trained = 0.5
    else:
        final, trained = _truth(design, seed, made, nested)
    return {
        "auc": interval.value,
        "final": final,
        "trained": trained,
        "covers_final": interval.low <= final <= interval.high,
        "covers_trained": interval.low <= trained <= interval.high,
    }


def _truth(design: Design, seed: int, made: Study, nested: Nested) -> tuple[float, float]:
    """AUC on new cases: of the model of all cases, and the mean of those of the outer folds."""
    x, outcome, _ = draw(design, seed, _NEW)
    sites = np.full(len(x), "", dtype="U1")
    final = roc.auc(outcome.event, final_model(made, nested, "").model.risk(x, sites))
    cohort, areas = made.cohort, []
    for (train, _), part in zip(outer_folds(made)[:-1], nested.outer, strict=True):
        choice = Candidate(*part["candidate"].split("+"))
        known = cohort.outcome.take(train)
        model = fit_model(
            choice, cohort.x[train], known, cohort.sites[train], cohort.names, made.settings
        )
        areas.append(roc.auc(outcome.event, model.risk(x, sites)))
    return final, float(np.mean(areas))


def main() -> None:
    """Run and print one JSON line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--only", choices=("features", "interval"))
    parser.add_argument("--designs", nargs="*", help="Of the features; all by default.")
    options = parser.parse_args()
    made: dict[str, Any] = {"runs": options.runs}
    if options.only != "interval":
        made["features"] = _features(options.runs, options.designs)
    if options.only != "features":
        made["interval"] = _intervals(options.runs)
    print(json.dumps({"bench": "cohort_simulation", **made, **describe()}))


def _features(runs: int, only: list[str] | None) -> dict[str, Any]:
    made = {}
    with progress() as report:
        for name, design in DESIGNS.items():
            if only and name not in only:
                continue
            rows = []
            for seed in range(runs):
                report(seed, runs, f"features {name}")
                rows.append(found(design, seed))
            recall, false = np.mean(rows, axis=0)
            made[name] = {"recall": round(float(recall), 3), "fdr": round(float(false), 3)}
    return made


def _intervals(runs: int) -> dict[str, Any]:
    design = Design(cases=150, columns=60, signals=5)
    made = {}
    with progress() as report:
        for name, shuffled in (("signal", False), ("shuffled", True)):
            rows = []
            for seed in range(runs):
                report(seed, runs, f"interval {name}")
                rows.append(covered(design, seed, shuffled))
            made[name] = {
                "covers_final": sum(r["covers_final"] for r in rows),
                "covers_trained": sum(r["covers_trained"] for r in rows),
                **{
                    key: round(float(np.mean([r[key] for r in rows])), 4)
                    for key in ("auc", "final", "trained")
                },
            }
    return made


if __name__ == "__main__":
    main()
