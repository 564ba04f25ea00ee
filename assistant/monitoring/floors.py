"""The floors of approved models: judged on their last drafts; one that breaks returns the approval.

Only drafts that were made under the approval count, from when it was given, or given again.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from assistant.monitoring.figures import review_scores
from assistant.monitoring.latest import Latest
from assistant.monitoring.measure import Measured
from assistant.monitoring.settings import Floor
from assistant.store import Approval, ApprovalNotFound
from assistant.store.monitored import kinds_of
from assistant.work.assignment import assigned

if TYPE_CHECKING:
    from assistant.api.context import Services

logger = logging.getLogger("bedside.assistant.monitoring")


@dataclass(frozen=True, slots=True)
class Judgement:
    """One floor of one engine and task.

    ``mean`` is of the last ``drafts`` drafts; ``holds`` is None while there are too few.
    ``returned``: the approvals that went because of it.
    """

    engine: str
    model: str
    task: str
    floor: str
    mean: float | None
    drafts: int
    wanted: int
    holds: bool | None
    returned: tuple[str, ...] = ()


def judge(parts: Services) -> list[Judgement]:
    """Every floor of every engine that is approved, as its drafts are now.  Blocks on the disk."""
    found: list[Judgement] = []
    for engine, approvals in _approved(parts).items():
        since = max(approval.since for approval in approvals)
        model = parts.engines.describe(engine)
        scores = review_scores(parts.store, since)
        for task in kinds_of(parts.store.database, since=since, model=model):
            floors = [f for f in parts.settings.monitoring.floors if f.task in ("", task)]
            counts = partial(_counts, parts, engine)
            latest = Latest(parts.store, parts.tasks, since, task, model, counts, scores)
            if floors and latest.any():
                found += [_judged(engine, model, task, floor, latest) for floor in floors]
    return found


def check(parts: Services) -> list[Judgement]:
    """`judge`, and return the approvals of an engine whose floor broke, where that is set.

    The caller refreshes what is approved before and behind it.
    """
    judged = judge(parts)
    if not parts.settings.monitoring.enabled:
        return judged
    approved = _approved(parts)
    found: list[Judgement] = []
    gone: set[str] = set()
    for one in judged:
        if one.holds is False and one.engine not in gone:
            gone.add(one.engine)
            found.append(_returned(parts, one, approved[one.engine]))
        else:
            found.append(one)
    return found


def _returned(parts: Services, broken: Judgement, approvals: Sequence[Approval]) -> Judgement:
    """Return all that holds for the engine: one that stayed would approve the same answers."""
    reason = (
        f"{broken.task} 最近 {broken.drafts} 份草稿的 {broken.floor} 不成立："
        f"均值 {broken.mean or 0.0:.3f}。(A floor broke.)"
    )
    figures = {
        name: getattr(broken, name) for name in ("engine", "task", "floor", "mean", "drafts")
    }
    taken = []
    for approval in approvals:
        try:
            parts.store.approvals.give_back(approval.id, reason, figures)
            taken.append(approval.id)
        except ApprovalNotFound:
            # Another process was quicker, or somebody has revoked it.
            continue
    logger.warning("engine %s shows 仅供演示 again: %s", broken.engine, broken.floor)
    return Judgement(
        broken.engine,
        broken.model,
        broken.task,
        broken.floor,
        broken.mean,
        broken.drafts,
        broken.wanted,
        broken.holds,
        tuple(taken),
    )


def _approved(parts: Services) -> dict[str, list[Approval]]:
    """Engine → the approvals that hold for it."""
    found: dict[str, list[Approval]] = defaultdict(list)
    for approval in parts.store.approvals.in_force():
        for engine in parts.approvals.engines_of(approval.id):
            found[engine].append(approval)
    return found


def _counts(parts: Services, engine: str, row: Measured) -> bool:
    """Whether it was written under the approval, by this engine."""
    return row.approved and _wrote(parts, engine, row)


def _wrote(parts: Services, engine: str, row: Measured) -> bool:
    task = parts.tasks.get(row.task)
    settings = assigned(parts.settings, row.task, row.department)
    try:
        return task is not None and task.engine_of(row.draft, settings) == engine
    except (StopIteration, AttributeError):
        # Of a seat that the panel has not any more.
        return False


def _judged(engine: str, model: str, task: str, floor: Floor, latest: Latest) -> Judgement:
    mean, drafts = latest.mean(floor.figure, floor.drafts)
    holds = floor.holds(mean) if mean is not None and drafts >= floor.drafts else None
    return Judgement(engine, model, task, str(floor), mean, drafts, floor.drafts, holds)
