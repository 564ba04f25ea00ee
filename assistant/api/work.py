"""What the three kinds of work share: accept, wait or not, watch, cancel."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from assistant.api.context import Services
from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.store import Context
from assistant.store.models import DraftRow, RequestKind, RequestRow, RequestStatus
from assistant.work.jobs import Event

KEEP_ALIVE_SECONDS = 15.0


class Links(BaseModel):
    """Where to go from here."""

    self: str
    events: str


class Job(BaseModel):
    """An accepted request and how far it is; the drafts come as they are ready."""

    id: str
    kind: RequestKind
    status: RequestStatus
    patient_id: str
    encounter_id: str
    record_hash: str
    created_at: datetime
    ended_at: datetime | None = None
    message: str = Field(default="", description="Why it failed.")
    drafts: list[dict[str, Any]] = Field(default_factory=list)
    links: Links
    notice: str = DISCLAIMER_ZH
    notice_en: str = DISCLAIMER_EN


def shown_draft(row: DraftRow) -> dict[str, Any]:
    """A draft as the API gives it: its id and state, and the chain's typed draft."""
    return {
        "id": row.id,
        "request_id": row.request_id,
        "patient_id": row.patient_id,
        "encounter_id": row.encounter_id,
        "record_hash": row.record_hash,
        "stale": row.stale_at is not None,
        "created_at": row.created_at.isoformat(),
        "accepted_at": row.accepted_at.isoformat() if row.accepted_at else None,
        "signed_at": row.signed_at.isoformat() if row.signed_at else None,
        "seconds_to_acceptance": row.seconds_to_acceptance,
        "edit_distance": row.edit_distance,
        **row.content["draft"],
    }


async def shown_job(parts: Services, context: Context, row: RequestRow, path: str) -> Job:
    """A request with its drafts."""
    drafts = await asyncio.to_thread(parts.store.drafts.list, context, row.id)
    return Job(
        id=row.id,
        kind=row.kind,
        status=row.status,
        patient_id=row.patient_id,
        encounter_id=row.encounter_id,
        record_hash=row.record_hash,
        created_at=row.created_at,
        ended_at=row.ended_at,
        message=row.failure or "",
        drafts=[shown_draft(d) for d in reversed(drafts)],
        links=Links(self=f"{path}/{row.id}", events=f"{path}/{row.id}/events"),
    )


async def accept(
    parts: Services,
    context: Context,
    kind: RequestKind,
    payload: dict[str, Any],
    record_hash: str,
    response: Response,
    *,
    path: str,
    wait: bool,
    idempotency_key: str | None,
    options: dict[str, Any] | None = None,
) -> Job:
    """Keep the request, then answer 202 at once, or 200 with the drafts when ``wait``."""
    row = await parts.jobs.submit(
        context, kind, payload, record_hash, idempotency_key=idempotency_key, options=options
    )
    if wait:
        await parts.jobs.finished(context, row.id)
        row = await asyncio.to_thread(parts.store.requests.get, context, row.id)
    response.status_code = 200 if wait else 202
    response.headers["Location"] = f"{path}/{row.id}"
    return await shown_job(parts, context, row, path)


async def find(parts: Services, context: Context, job_id: str, path: str) -> Job:
    """The job as it is now.  404 outside of its patient's context."""
    row = await asyncio.to_thread(parts.store.requests.get, context, job_id)
    return await shown_job(parts, context, row, path)


async def watch(parts: Services, context: Context, job_id: str) -> StreamingResponse:
    """The job's events as Server-Sent Events, from the first to the last."""
    await asyncio.to_thread(parts.store.requests.get, context, job_id)
    return StreamingResponse(
        _stream(parts, context, job_id),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _stream(parts: Services, context: Context, job_id: str) -> AsyncIterator[str]:
    async with contextlib.aclosing(parts.jobs.events(context, job_id)) as events:
        waiting: asyncio.Future[Event] | None = None
        try:
            while True:
                waiting = waiting or asyncio.ensure_future(anext(events))
                done, _ = await asyncio.wait({waiting}, timeout=KEEP_ALIVE_SECONDS)
                if not done:
                    yield ": still at work\n\n"
                    continue
                event, waiting = waiting.result(), None
                data = json.dumps(event.data, ensure_ascii=False)
                yield f"event: {event.name}\ndata: {data}\n\n"
                if event.last:
                    return
        finally:
            if waiting is not None:
                waiting.cancel()
                with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                    await waiting
