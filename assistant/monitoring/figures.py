"""What a week was like, task by task and model by model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean

from assistant.monitoring.drift import Drift, drift
from assistant.monitoring.form import quality_form
from assistant.monitoring.measure import Measured, measure
from assistant.monitoring.reviewing import span_of, week_of
from assistant.monitoring.settings import FIGURES, FigureName
from assistant.store import Store
from assistant.store.monitored import monitored
from assistant.work.registry import Registry


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean, and of how many drafts."""

    mean: float
    drafts: int


@dataclass(slots=True)
class Week:
    """One week of one task and model.

    ``drift``: against the weeks before it; nothing where there are too few drafts.
    """

    week: str
    task: str
    model: str
    drafts: int
    figures: dict[FigureName, Figure] = field(default_factory=dict)
    drift: dict[str, Drift] = field(default_factory=dict)


def weekly(store: Store, tasks: Registry, *, weeks: int, reference: int) -> list[Week]:
    """The last ``weeks`` weeks, the newest first, each against the ``reference`` before it."""
    now = store.database.clock()
    first, _ = span_of(week_of(now - timedelta(weeks=weeks + reference - 1)))
    shown, _ = span_of(week_of(now - timedelta(weeks=weeks - 1)))
    by_week: dict[tuple[str, str], dict[str, list[Measured]]] = defaultdict(dict)
    scores = review_scores(store, first)
    for measured in measured_since(store, tasks, first, scores=scores):
        place = by_week[measured.task, measured.model]
        place.setdefault(week_of(measured.created_at), []).append(measured)
    found = []
    for (task, model), rows in by_week.items():
        for week, of_week in rows.items():
            start, _ = span_of(week)
            if start < shown:
                continue
            before = {week_of(start - timedelta(weeks=n)) for n in range(1, reference + 1)}
            earlier = [one for name in before & rows.keys() for one in rows[name]]
            made = Week(week, task, model, len(of_week), means(of_week), drift(of_week, earlier))
            found.append(made)
    return sorted(found, key=lambda w: (w.week, w.task, w.model), reverse=True)


def measured_since(
    store: Store,
    tasks: Registry,
    since: datetime,
    *,
    kind: str = "",
    model: str = "",
    scores: dict[str, float] | None = None,
) -> list[Measured]:
    """The drafts from ``since`` on, measured, oldest first, with what reviewers gave them."""
    now = store.database.clock()
    known = review_scores(store, since) if scores is None else scores
    found = []
    for row in monitored(store.database, since=since, kind=kind, model=model):
        measured = measure(row, tasks, now)
        if row.id in known:
            measured.figures["review_score"] = known[row.id]
        found.append(measured)
    return found


def review_scores(store: Store, since: datetime) -> dict[str, float]:
    """Draft → the mean score of its reviews from ``since`` on."""
    form = quality_form()
    given: dict[str, list[float]] = defaultdict(list)
    for review in store.quality_reviews.list(form.name, since=since):
        mean = form.mean(review.scores)
        if mean is not None:
            given[review.draft_id].append(mean)
    return {draft_id: fmean(means_) for draft_id, means_ in given.items()}


def means(rows: Sequence[Measured]) -> dict[FigureName, Figure]:
    """Each figure that at least one of the drafts has."""
    found: dict[FigureName, Figure] = {}
    for name in FIGURES:
        values = [row.figures[name] for row in rows if name in row.figures]
        if values:
            found[name] = Figure(fmean(values), len(values))
    return found
