"""``/v1/feedback``: like, dislike, 识别错误."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from assistant.api.context import ActorDep, IdempotencyKey, PatientDep, ServicesDep
from assistant.api.problems import documented
from assistant.store import FeedbackRow

router = APIRouter(prefix="/v1/feedback", tags=["feedback 反馈"])


class FeedbackRequest(BaseModel):
    """An opinion on a draft, or on a marked piece of its text (code points)."""

    model_config = ConfigDict(extra="forbid")

    draft_id: str = Field(max_length=64)
    verdict: Literal["like", "dislike", "error"]
    section: str | None = Field(default=None, max_length=100)
    start: int | None = Field(default=None, ge=0, le=1_000_000)
    end: int | None = Field(default=None, ge=0, le=1_000_000)
    quote: str | None = Field(default=None, max_length=5_000)
    comment: str | None = Field(default=None, max_length=5_000)
    correction: str | None = Field(default=None, max_length=50_000)

    @model_validator(mode="after")
    def _range_whole(self) -> FeedbackRequest:
        if (self.start is None) != (self.end is None):
            raise ValueError("start and end come together")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError("end is before start")
        return self


class FeedbackShown(BaseModel):
    """Feedback as it is kept."""

    id: str
    draft_id: str | None
    verdict: str
    member: str
    model: str
    section: str | None
    start: int | None
    end: int | None
    quote: str | None
    comment: str | None
    correction: str | None
    created_at: datetime


def _shown(row: FeedbackRow) -> FeedbackShown:
    return FeedbackShown(
        id=row.id,
        draft_id=row.draft_id,
        verdict=row.verdict,
        member=row.member,
        model=row.model,
        section=row.section,
        start=row.span_start,
        end=row.span_end,
        quote=row.quote,
        comment=row.comment,
        correction=row.correction,
        created_at=row.created_at,
    )


@router.post("", responses=documented(404, 409), status_code=201)
async def create(
    body: FeedbackRequest,
    parts: ServicesDep,
    context: PatientDep,
    idempotency_key: IdempotencyKey = None,
) -> FeedbackShown:
    """Keep an opinion; it is on the disk when this answers."""
    span = (body.start, body.end) if body.start is not None and body.end is not None else None
    row = await asyncio.to_thread(
        parts.store.feedback.add,
        context,
        body.draft_id,
        body.verdict,
        section=body.section,
        span=span,
        quote=body.quote,
        comment=body.comment,
        correction=body.correction,
        idempotency_key=idempotency_key,
    )
    return _shown(row)


@router.get("", responses=documented())
async def listing(
    parts: ServicesDep,
    context: PatientDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[FeedbackShown]:
    """This patient's feedback, newest first."""
    rows = await asyncio.to_thread(parts.store.feedback.list, context, limit=limit)
    return [_shown(row) for row in rows]


@router.get("/summary", responses=documented())
async def summary(parts: ServicesDep, who: ActorDep) -> list[dict[str, Any]]:
    """Counts for each member and model, without any patient's text."""
    return [asdict(row) for row in await asyncio.to_thread(parts.store.feedback.summary)]
