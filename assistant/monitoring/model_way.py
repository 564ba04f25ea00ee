"""Where each model stands: candidate → shadow → approved → monitored → returned, or revoked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from assistant.monitoring.floors import Judgement, judge
from assistant.store import Approval
from assistant.store.shadow_answers import ShadowAnswer

if TYPE_CHECKING:
    from assistant.api.context import Services

StageName = Literal[
    "configured", "candidate", "shadow", "approved", "monitored", "returned", "revoked"
]


@dataclass(frozen=True, slots=True)
class Stage:
    """A step on the way: when, by whom where a person did it, and what of it."""

    name: StageName
    at: datetime | None = None
    by: str = ""
    detail: str = ""


@dataclass(slots=True)
class ModelWay:
    """One engine of the settings.  ``stage`` is where it is now, ``way`` how it came there."""

    engine: str
    model: str
    stage: StageName
    way: list[Stage] = field(default_factory=list)
    floors: list[Judgement] = field(default_factory=list)


def model_ways(parts: Services) -> list[ModelWay]:
    """Every engine of the settings, in their order.  Blocks on the disk."""
    judged: dict[str, list[Judgement]] = defaultdict(list)
    for one in judge(parts):
        judged[one.engine].append(one)
    approvals = parts.store.approvals.list(500)
    answers = parts.store.shadow.list()
    return [
        _way_of(
            parts,
            engine,
            [a for a in approvals if a.engine == engine],
            [a for a in answers if a.engine == engine],
            judged[engine],
        )
        for engine in parts.settings.engines
    ]


def _way_of(
    parts: Services,
    engine: str,
    approvals: Sequence[Approval],
    answers: Sequence[ShadowAnswer],
    judged: list[Judgement],
) -> ModelWay:
    way: list[Stage] = []
    tasks = sorted({c.task for c in parts.settings.shadow.candidates if c.engine == engine})
    if tasks:
        way.append(Stage("candidate", detail="、".join(tasks)))
    if answers:
        done = sum(answer.status == "done" for answer in answers)
        failed = sum(answer.status == "failed" for answer in answers)
        said = f"{done} + {failed} failed" if failed else f"{done}"
        way.append(Stage("shadow", min(answer.created_at for answer in answers), detail=said))
    dated: list[Stage] = []
    for approval in approvals:
        dated.append(Stage("approved", approval.created_at, approval.approved_by, approval.gate))
        for step in approval.steps:
            name: StageName = "returned" if step.step == "returned" else "approved"
            dated.append(Stage(name, step.created_at, step.by, step.reason))
        if approval.revoked_at is not None:
            reason = approval.revocation_reason
            dated.append(Stage("revoked", approval.revoked_at, approval.revoked_by, reason))
    way += sorted(dated, key=_when)
    stage: StageName = way[-1].name if way else "configured"
    if parts.engines.slots[engine].approved:
        stage = "approved"
        if judged:
            stage = "monitored"
            drafts = max(one.drafts for one in judged)
            way.append(Stage("monitored", detail=f"{drafts}"))
    elif stage == "approved":
        # What runs now is not what was approved.
        stage = "configured"
    return ModelWay(engine, parts.engines.describe(engine), stage, way, judged)


def _when(stage: Stage) -> float:
    return stage.at.timestamp() if stage.at is not None else 0.0
