"""The routes of every task: accept, wait or not, watch, cancel.  Made from what the task says."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from functools import cache
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ValidationError

from assistant.api.context import (
    ID_PATTERN,
    Actor,
    ActorDep,
    IdempotencyKey,
    Services,
    ServicesDep,
    check_header,
)
from assistant.api.problems import Problem, documented
from assistant.api.schema import Job, Links, event_type, job_type, listed
from assistant.draft import Draft
from assistant.store import Context, RequestNotFound
from assistant.store.models.request import RequestRow
from assistant.work.task import AnyTask, load


@cache
def router(task: AnyTask) -> APIRouter:
    """``POST /v1/<path>``, and of a job: read, events, cancel, and what the task adds.

    Kept for the process: reading the types of a task's fields takes a while.
    """
    made = APIRouter(prefix=f"/v1/{task.path}", tags=[f"{task.title.en.lower()} {task.title.zh}"])
    shown = job_type(task)
    streamed = event_type(task)
    posted = task.posted
    examples: Any = {name: {"value": body} for name, body in task.examples.items()}

    async def asker(who: ActorDep) -> Actor:
        if who.role not in task.ask_roles:
            raise Problem(403, "该角色不能查看或提交病历。(Needs a clinical role or role system.)")
        return who

    asker_dep = Annotated[Actor, Depends(asker)]

    async def own_context(
        who: asker_dep,
        x_patient_id: Annotated[str, Header(pattern=ID_PATTERN)],
        x_encounter_id: Annotated[str, Header(pattern=rf"^$|{ID_PATTERN}")] = "",
    ) -> Context:
        return Context(who.id, who.role, x_patient_id, x_encounter_id)

    context_dep = Annotated[Context, Depends(own_context)]

    async def watched(job_id: str, parts: ServicesDep, context: context_dep) -> str:
        """404 before the stream begins."""
        await find(parts, context, task, job_id)
        return job_id

    @made.post(
        "",
        responses=documented(404, 409, 503)
        | ({202: {"model": shown}} if task.waits else {200: {"model": shown}}),
        status_code=200 if task.waits else 202,
        response_model=shown,
        summary=f"{task.title.en} {task.title.zh}",
    )
    async def create(
        body: Annotated[posted, Body(openapi_examples=examples)],  # type: ignore[valid-type]
        response: Response,
        parts: ServicesDep,
        who: asker_dep,
        wait: Annotated[bool, Query(description="True: answer at the end, with 200.")] = task.waits,
        batch: Annotated[
            bool, Query(description="Nobody waits for it: it goes behind what somebody waits for.")
        ] = False,
        idempotency_key: IdempotencyKey = None,
        x_patient_id: Annotated[str | None, Header()] = None,
    ) -> Any:
        """Accept the work: 202 with the job, or 200 with its drafts when ``wait=true``."""
        asked = task.accept(body, parts.settings)
        check_header(x_patient_id, asked.patient_id)
        if task.needs_knowledge:
            _ = parts.knowledge
        context = Context(who.id, who.role, asked.patient_id, asked.encounter_id)
        row = await parts.jobs.submit(
            context,
            task.kind,
            asked.payload,
            asked.record_hash,
            idempotency_key=idempotency_key,
            options=asked.options or None,
            source=who.source,
            batch=batch,
        )
        if wait:
            await parts.jobs.finished(context, row.id)
            row = await asyncio.to_thread(parts.store.requests.get, context, row.id)
        response.status_code = 200 if wait else 202
        response.headers["Location"] = f"{made.prefix}/{row.id}"
        return await show(parts, context, task, row)

    @made.get("/{job_id}", responses=documented(404), response_model=shown)
    async def read(job_id: str, parts: ServicesDep, context: context_dep) -> Any:
        """The job as it is now, and the drafts that are ready."""
        return await show(parts, context, task, await find(parts, context, task, job_id))

    async def events(
        job_id: Annotated[str, Depends(watched)],
        parts: ServicesDep,
        context: context_dep,
    ) -> AsyncIterator[ServerSentEvent]:
        """Server-Sent Events from the first to the last.

        ``waiting``, ``started``, what the task tells, ``draft`` …, then ``finished``, ``failed`` or
        ``cancelled``.
        """
        async with contextlib.aclosing(parts.jobs.events(context, job_id)) as streamed:
            async for event in streamed:
                data = json.dumps(event.data, ensure_ascii=False)
                yield ServerSentEvent(event=event.name, raw_data=data)

    stream: Any = AsyncIterable
    events.__annotations__["return"] = stream[streamed]
    made.get("/{job_id}/events", responses=documented(404), response_class=EventSourceResponse)(
        events
    )

    @made.delete("/{job_id}", responses=documented(404), response_model=shown)
    async def cancel(job_id: str, parts: ServicesDep, context: context_dep) -> Any:
        """Stop the job; drafts that are ready stay."""
        await find(parts, context, task, job_id)
        await parts.jobs.cancel(context, job_id)
        return await show(parts, context, task, await find(parts, context, task, job_id))

    if task.routes:
        load(task.routes)(made)
    return made


async def find(parts: Services, context: Context, task: AnyTask, job_id: str) -> RequestRow:
    """The request.  Raises `RequestNotFound` outside of its patient's context and its task."""
    row = await asyncio.to_thread(parts.store.requests.get, context, job_id)
    if row.kind != task.kind:
        raise RequestNotFound
    return row


async def show(parts: Services, context: Context, task: AnyTask, row: RequestRow) -> BaseModel:
    """A request with its drafts, in their order, and where it stands in the queue."""
    rows = await asyncio.to_thread(parts.store.drafts.list, context, row.id)
    made = [(parts.tasks.draft(draft.content["draft"]), draft) for draft in reversed(rows)]
    readable = [(draft, kept) for draft, kept in made if isinstance(draft, task.draft)]
    others = [kept for draft, kept in made if not isinstance(draft, task.draft)]
    readable.sort(key=lambda pair: task.position(pair[0]))
    waits = await parts.jobs.outlook(row.id, row.kind) if row.status == "queued" else None
    more = await asyncio.to_thread(_more, task, row, [draft for draft, _ in readable])
    place = f"/v1/{task.path}/{row.id}"
    job = Job(
        id=row.id,
        kind=row.kind,
        status=row.status,
        place=waits.place if waits else None,
        expected_seconds=waits.expected_seconds if waits else None,
        patient_id=row.patient_id,
        encounter_id=row.encounter_id,
        record_hash=row.record_hash,
        created_at=row.created_at,
        ended_at=row.ended_at,
        message=row.failure or "",
        links=Links(self=place, events=f"{place}/events"),
    )
    drafts = [listed(kept, task) for kept in (*(kept for _, kept in readable), *others)]
    fields = {**dict(job), **dict(more), "drafts": drafts}
    return job_type(task).model_validate(fields)


def _more(task: AnyTask, row: RequestRow, drafts: Sequence[Draft]) -> BaseModel:
    """What the task gives beside the drafts; nothing where the request is of an older form."""
    try:
        request = task.request.model_validate(row.payload)
    except ValidationError:
        return task.extras()
    more: BaseModel = task.more(request, drafts)
    return more
