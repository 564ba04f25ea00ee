"""``/v1/monitoring``: figures of the weeks, floors, where models stand, and the weekly review."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import (
    Actor,
    ActorDep,
    OversightDep,
    ServicesDep,
)
from assistant.api.problems import documented
from assistant.monitoring import reviewers
from assistant.monitoring.figures import weekly
from assistant.monitoring.floors import judge
from assistant.monitoring.form import Form, quality_form
from assistant.monitoring.model_way import StageName, model_ways
from assistant.monitoring.reviewing import agreement, span_of
from assistant.monitoring.watch import check_now

router = APIRouter(prefix="/v1/monitoring", tags=["monitoring 监测"])
WEEK = r"^\d{4}-W\d{2}$"
WeekQuery = Annotated[
    str | None, Query(pattern=WEEK, description="As 2026-W09; none: the last one that is over.")
]


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class FigureShown(_Shown):
    """A mean and of how many drafts."""

    mean: float
    drafts: int


class DriftShown(_Shown):
    """A population stability index; a change where it passes ``limit``."""

    psi: float
    limit: float
    changed: bool


class WeekShown(_Shown):
    """One week of one task and model."""

    week: str
    task: str
    model: str
    drafts: int
    figures: dict[str, FigureShown]
    drift: dict[str, DriftShown]


class JudgementShown(_Shown):
    """One floor as it is now; ``holds`` is null while there are too few drafts."""

    engine: str
    model: str
    task: str
    floor: str
    mean: float | None
    drafts: int
    wanted: int
    holds: bool | None
    returned: list[str] = Field(description="Approvals that it returned just now.")


class StageShown(_Shown):
    """A step on a model's way."""

    name: StageName
    at: datetime | None
    by: str
    detail: str


class StandingShown(_Shown):
    """Where an engine stands and how it came there."""

    engine: str
    model: str
    stage: StageName
    way: list[StageShown]
    floors: list[JudgementShown]


class AgreementShown(_Shown):
    """How far reviewers agree about one item."""

    item: str
    kappa: float | None = Field(description="Quadratic weights, the mean of the pairs.")
    pairs: int
    icc: float | None = Field(description="ICC(2,1) over the drafts that all reviewers scored.")
    drafts: int
    reviewers: list[str]


class SampledDraft(_Shown):
    """A draft of the week's sample, and whether the caller has scored it."""

    draft_id: str
    task: str
    reviewed: bool


class ReviewedDraft(_Shown):
    """A draft as a reviewer reads it; its model is not named."""

    draft_id: str
    kind: str
    section: str
    text: str
    record: dict[str, Any]


class ReviewRequest(BaseModel):
    """The scores of one draft of a week's sample: item → score, null where it does not apply."""

    model_config = ConfigDict(extra="forbid")

    draft_id: str = Field(max_length=64)
    week: str = Field(pattern=WEEK)
    scores: dict[str, int | None] = Field(max_length=50)
    comment: str = Field(default="", max_length=2_000)


class ReviewShown(_Shown):
    """A review as it is kept."""

    draft_id: str
    reviewer: str
    scores: dict[str, int | None]
    created_at: datetime


async def named_reviewer(who: ActorDep) -> Actor:
    """A doctor who goes by a name.  403 for others."""
    return reviewers.named(who)


ReviewerDep = Annotated[Actor, Depends(named_reviewer)]


@router.get("/figures", responses=documented(503))
async def figures(
    parts: ServicesDep, who: ActorDep, weeks: Annotated[int, Query(ge=1, le=26)] = 8
) -> list[WeekShown]:
    """Of each week, task and model, the newest week first; no text of a patient."""
    reference = parts.settings.monitoring.reference_weeks
    found = await asyncio.to_thread(
        weekly, parts.store, parts.tasks, weeks=weeks, reference=reference
    )
    return [WeekShown.model_validate(week) for week in found]


@router.get("/floors", responses=documented(503))
async def floors(parts: ServicesDep, who: ActorDep) -> list[JudgementShown]:
    """Every floor of every approved model; nothing is returned by asking."""
    await parts.approvals.refresh()
    return [JudgementShown.model_validate(one) for one in await asyncio.to_thread(judge, parts)]


@router.post("/check", responses=documented(403, 503))
async def check(parts: ServicesDep, who: OversightDep) -> list[JudgementShown]:
    """Look at the floors now; the approval of a model whose floor broke is returned."""
    return [JudgementShown.model_validate(one) for one in await check_now(parts)]


@router.get("/models", responses=documented(503))
async def models(parts: ServicesDep, who: ActorDep) -> list[StandingShown]:
    """Where each model stands, with dates and names."""
    await parts.approvals.refresh()
    found = await asyncio.to_thread(model_ways, parts)
    return [StandingShown.model_validate(one) for one in found]


@router.get("/form", responses=documented())
async def form(who: ActorDep) -> Form:
    """The form of the weekly review."""
    return quality_form()


@router.get("/sample", responses=documented(403))
async def listing(
    parts: ServicesDep, who: ReviewerDep, week: WeekQuery = None
) -> list[SampledDraft]:
    """The drafts that are to be scored."""
    found = await asyncio.to_thread(
        reviewers.sampled, parts, who, reviewers.week_or_last(parts, week)
    )
    return [SampledDraft.model_validate(one) for one in found]


@router.get("/sample/{draft_id}", responses=documented(403, 404))
async def one(
    parts: ServicesDep, who: ReviewerDep, draft_id: str, week: WeekQuery = None
) -> ReviewedDraft:
    """A draft of the sample with the record that it was made from; the reading is audited."""
    read = await asyncio.to_thread(
        reviewers.read, parts, who, draft_id, reviewers.week_or_last(parts, week)
    )
    return ReviewedDraft.model_validate(read)


@router.post("/reviews", responses=documented(403, 404), status_code=201)
async def review(body: ReviewRequest, parts: ServicesDep, who: ReviewerDep) -> ReviewShown:
    """Keep the scores of a draft of the sample."""
    kept = await asyncio.to_thread(
        reviewers.score, parts, who, body.draft_id, body.week, body.scores, body.comment
    )
    return ReviewShown.model_validate(kept)


@router.get("/agreement", responses=documented())
async def agreements(
    parts: ServicesDep, who: ActorDep, since: WeekQuery = None
) -> list[AgreementShown]:
    """How far reviewers agree, item by item, over all reviews or those from a week on."""
    used = quality_form()
    start = span_of(since)[0] if since else None
    reviews = await asyncio.to_thread(parts.store.quality_reviews.list, used.name, since=start)
    return [AgreementShown.model_validate(one) for one in agreement(reviews, used)]
