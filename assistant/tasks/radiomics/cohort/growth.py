"""A report while it is being made: what is known so far, part by part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from assistant.tasks.radiomics.cohort import report as writing
from assistant.tasks.radiomics.cohort.journal import Journal
from assistant.tasks.radiomics.cohort.nested import Part, Report, Study
from assistant.tasks.radiomics.cohort.nested import score as score_of
from assistant.tasks.radiomics.cohort.roles import Roles

_SHOWN = 10


def flow(study: Study, roles: Roles) -> dict[str, Any]:
    """Known before anything is fitted: cases, columns, and what each column was taken for."""
    return {
        **writing.flow(study),
        "roles": {name: value for name, value in vars(roles).items() if value},
        "features": len(study.cohort.names),
        "notes": list(study.cohort.notes),
    }


def telling_parts(
    study: Study, journal: Journal, report: Report, grow: Callable[[str, dict[str, Any]], None]
) -> Report:
    """A report of progress that also tells the parts; each as often as it has changed."""
    before: dict[str, int] = {}

    def both(done: int, total: int, what: str) -> None:
        report(done, total, what)
        for name, kind, made in (("candidates", "inner", candidates), ("folds", "outer", folds)):
            parts = [part for key, part in journal.done.items() if key.startswith(kind)]
            if len(parts) != before.get(name, 0):
                before[name] = len(parts)
                grow(name, made(study, parts))

    return both


def candidates(study: Study, inner: list[Part]) -> dict[str, Any]:
    """The best candidates by their mean score in the inner folds that are done; what is reported
    at the end comes from the outer folds."""
    rows = [
        {"name": c.name, "score": float(np.mean([part["score"][c.name] for part in inner]))}
        for c in study.choices
    ]
    rows.sort(key=lambda row: -float(str(row["score"])))
    return {"folds": len(inner), "candidates": rows[:_SHOWN]}


def folds(study: Study, outer: list[Part]) -> dict[str, Any]:
    """The score of each outer fold that is done, in the order in which they ended."""
    outcome = study.cohort.outcome
    scores = [
        score_of(outcome.take(np.array(part["rows"])), np.array(part["risk"], dtype=np.float64))
        for part in outer
    ]
    return {"scores": scores, "mean": float(np.mean(scores)) if scores else None}
