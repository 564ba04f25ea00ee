"""``/v1/shadow``: what candidates were like, and two texts side by side without their makers."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import ActorDep, OversightDep, ServicesDep
from assistant.api.problems import documented
from assistant.monitoring.routes import ReviewerDep
from assistant.monitoring.shadow import comparing
from assistant.monitoring.shadow.report import reports
from assistant.monitoring.shadow.runner import Shadow

router = APIRouter(prefix="/v1/shadow", tags=["shadow 影子模式"])
MOST_LISTED = 50


class ReportShown(BaseModel):
    """A candidate and task: sums over the sections that both wrote, and blind preferences."""

    model_config = ConfigDict(from_attributes=True)

    task: str
    engine: str
    model: str
    fingerprint: str = Field(description="SHA-256 of its files, options and prompts.")
    since: datetime
    until: datetime
    answered: int
    failed: int
    waiting: int
    sections: int
    only_real: int
    only_candidate: int
    real: dict[str, int]
    candidate: dict[str, int]
    quantities: dict[str, int]
    diagnoses: dict[str, int]
    preferred: dict[str, int]
    win_interval: tuple[float, float] | None


class ComparisonListed(BaseModel):
    """Two texts that wait for the caller's opinion."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    task: str


class ComparisonShown(BaseModel):
    """Two texts of one record, section by section; which one is whose is not said."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    task: str
    record: dict[str, Any]
    a: dict[str, str]
    b: dict[str, str]


class Preference(BaseModel):
    """Which text is better."""

    model_config = ConfigDict(extra="forbid")

    preferred: comparing.Choice
    comment: Annotated[str, Field(max_length=2_000)] = ""


class ShadowRun(BaseModel):
    """What was done."""

    put: int = Field(description="Requests that were put in the queue.")
    answered: int = Field(description="Answers that were made, failed ones among them.")


@router.get("/report", responses=documented(503))
async def report(parts: ServicesDep, who: ActorDep) -> list[ReportShown]:
    """Every candidate and task; no text of a patient."""
    found = await asyncio.to_thread(reports, parts.store)
    return [ReportShown.model_validate(one) for one in found]


@router.post("/run", responses=documented(403, 503))
async def run(request: Request, who: OversightDep) -> ShadowRun:
    """Let candidates answer what waits, now, as long as nobody else is worked for."""
    shadow: Shadow = request.app.state.shadow
    put = await shadow.choose()
    answered = 0
    while await shadow.answer_one():
        answered += 1
    return ShadowRun(put=put, answered=answered)


@router.get("/comparisons", responses=documented(403))
async def listing(parts: ServicesDep, who: ReviewerDep) -> list[ComparisonListed]:
    """Those of the sample that the caller has not judged, oldest first."""
    found = await asyncio.to_thread(comparing.waiting, parts, who)
    return [ComparisonListed.model_validate(one) for one in found[:MOST_LISTED]]


@router.get("/comparisons/{answer_id}", responses=documented(403, 404))
async def one(parts: ServicesDep, who: ReviewerDep, answer_id: str) -> ComparisonShown:
    """Both texts with the record; the reading is audited."""
    pair = await asyncio.to_thread(comparing.read, parts, who, answer_id)
    return ComparisonShown.model_validate(pair)


@router.post("/comparisons/{answer_id}", responses=documented(403, 404), status_code=204)
async def prefer(body: Preference, parts: ServicesDep, who: ReviewerDep, answer_id: str) -> None:
    """Keep which one is better.  Whose it was is in the report alone."""
    await asyncio.to_thread(comparing.prefer, parts, who, answer_id, body.preferred, body.comment)
