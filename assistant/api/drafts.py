"""``/v1/drafts``: read, resolve statements, fill in, sign."""

import asyncio
from functools import cache
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from assistant.api.context import IdempotencyKey, PatientDep, ReviewerDep, ServicesDep
from assistant.api.problems import documented
from assistant.api.replay import replayed
from assistant.api.schema import Shapes
from assistant.draft import Statement
from assistant.review.fill_in import FillIn
from assistant.review.review import Review
from assistant.work.registry import Registry

_FILLED = TypeAdapter(FillIn)


class ResolutionRequest(BaseModel):
    """What the doctor decided about one statement."""

    model_config = ConfigDict(extra="forbid")

    statement_id: str = Field(max_length=100)
    action: Literal["confirmed", "deleted", "edited", "restored"]
    text: str | None = Field(default=None, max_length=5_000)


class Resolved(BaseModel):
    """The statements that still stand in the way of a fill-in."""

    open: list[Statement]


class SignatureRequest(BaseModel):
    """The text as the doctor signed it in the hospital's own system."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=100_000)


@cache
def router(tasks: Registry) -> APIRouter:
    """The routes, whose answers name the drafts of every task; kept for the process."""
    made = APIRouter(prefix="/v1/drafts", tags=["drafts 草稿"])
    shapes = Shapes(tasks)
    several: Any = list

    @made.get("", responses=documented(), response_model=several[shapes.draft])
    async def listing(
        parts: ServicesDep,
        context: PatientDep,
        before: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> Any:
        """This patient's drafts, newest first."""
        rows = await asyncio.to_thread(
            parts.store.drafts.list, context, None, before=before, limit=limit
        )
        return [shapes.shown(row) for row in rows]

    @made.get("/{draft_id}", responses=documented(404), response_model=shapes.draft)
    async def read(draft_id: str, parts: ServicesDep, context: PatientDep) -> Any:
        """One draft; 404 in any other patient's context."""
        return shapes.shown(await asyncio.to_thread(parts.store.drafts.get, context, draft_id))

    @made.post("/{draft_id}/resolutions", responses=documented(404, 409))
    async def resolve(
        draft_id: str,
        body: ResolutionRequest,
        parts: ServicesDep,
        context: PatientDep,
        idempotency_key: IdempotencyKey = None,
    ) -> Resolved:
        """Confirm, delete, edit or restore one statement."""
        review = Review(parts.store, context, parts.tasks)
        still_open = await asyncio.to_thread(
            review.resolve,
            draft_id,
            body.statement_id,
            body.action,
            body.text,
            idempotency_key=idempotency_key,
        )
        return Resolved(open=still_open)

    @made.post("/{draft_id}/fill-in", responses=documented(404, 409))
    async def fill(
        draft_id: str,
        parts: ServicesDep,
        context: ReviewerDep,
        idempotency_key: IdempotencyKey = None,
    ) -> FillIn:
        """一键回填, by a doctor.  409 while an unsupported statement is open."""
        route = f"/v1/drafts/{draft_id}/fill-in"
        review = Review(parts.store, context, parts.tasks)

        def work() -> FillIn:
            return review.fill_in(draft_id)

        return await asyncio.to_thread(
            replayed, parts.store, context, idempotency_key, route, None, _FILLED, work
        )

    @made.post("/{draft_id}/signature", responses=documented(404, 409), response_model=shapes.draft)
    async def sign(
        draft_id: str,
        body: SignatureRequest,
        parts: ServicesDep,
        context: ReviewerDep,
        idempotency_key: IdempotencyKey = None,
    ) -> Any:
        """Post back the text that a doctor signed; the answer has the edit distance.

        Signing is no fill-in: ``accepted_at`` stays empty for a draft that was never filled in.
        """
        route = f"/v1/drafts/{draft_id}/signature"
        review = Review(parts.store, context, parts.tasks)

        def work() -> BaseModel:
            return shapes.shown(review.sign(draft_id, body.text))

        return await asyncio.to_thread(
            replayed,
            parts.store,
            context,
            idempotency_key,
            route,
            body.text,
            shapes.draft_adapter,
            work,
        )

    return made
