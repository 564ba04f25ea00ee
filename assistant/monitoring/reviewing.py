"""The weekly sample that people score, and how far they agree."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assistant.monitoring.agreement import by_reviewer, full_table, icc_2_1, mean_kappa
from assistant.monitoring.form import Form
from assistant.record.fields import local_time
from assistant.store import InvalidArgument, Store
from assistant.store.monitored import monitored
from assistant.store.quality_reviews import QualityReview


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far reviewers agree about one item.

    ``kappa``: quadratic weights, the mean of ``pairs`` pairs.  ``icc``: ICC(2,1) over the drafts
    that all of ``reviewers`` scored.  None: too few, or nobody's scores vary.
    """

    item: str
    kappa: float | None
    pairs: int
    icc: float | None
    drafts: int
    reviewers: list[str]


def week_of(at: datetime) -> str:
    """``2026-W09`` (ISO), where the hospital is."""
    year, week, _ = local_time(at).isocalendar()
    return f"{year}-W{week:02d}"


def span_of(week: str) -> tuple[datetime, datetime]:
    """The first moment of a week, and that of the next one.  Raises `InvalidArgument`."""
    try:
        first = datetime.strptime(f"{week}-1", "%G-W%V-%u")
        start = first.replace(tzinfo=local_time(datetime.now().astimezone()).tzinfo)
        # Also in UTC, as the store asks, it must be a time.
        start.astimezone(UTC), (start + timedelta(days=8)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument("周次写作 2026-W09。(Write a week as 2026-W09.)") from None
    return start, start + timedelta(days=7)


def last_week(now: datetime) -> str:
    """The last week that is over."""
    return week_of(now - timedelta(days=7))


def sample(store: Store, week: str, size: int) -> dict[tuple[str, str], list[str]]:
    """(task, model) → the drafts of the week that are to be scored, ``size`` at most.

    They are chosen by a keyed hash, so nobody can choose them, and everybody gets the same.
    """
    since, until = span_of(week)
    found: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in monitored(store.database, since=since, until=until):
        if str(row.content.get("text") or "").strip():
            order = store.hashes.content(["review", week, row.id])
            found[row.kind, row.model].append((order, row.id))
    return {key: [one for _, one in sorted(rows)[:size]] for key, rows in sorted(found.items())}


def agreement(reviews: Sequence[QualityReview], form: Form) -> list[Agreement]:
    """Of each item, and of the mean of the scale under the name ``mean``."""
    found = []
    for name in (*(item.id for item in form.items), "mean"):
        rows = []
        for review in reviews:
            score = form.mean(review.scores) if name == "mean" else review.scores.get(name)
            if score is not None:
                rows.append((review.reviewer, review.draft_id, float(score)))
        scores = by_reviewer(rows)
        kappa, pairs = mean_kappa(scores)
        table, reviewers = full_table(scores)
        icc = icc_2_1(table) if table else None
        found.append(Agreement(name, kappa, pairs, icc, len(table), reviewers))
    return found
