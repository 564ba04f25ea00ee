"""Follow a request's events into the session, so that the pages only draw."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import cast

from assistant.api.context import Actor, Services
from assistant.store import Context, StoreError
from assistant.ui.session import Shown, State, Work
from assistant.work.events import Delta, DraftReady, Event, Finished, Started, Waiting
from assistant.work.jobs import TooManyJobs
from assistant.work.task import Refused, Submission
from serving.engine import EngineError

DRAW_SECONDS = 0.12
"""Generated text is drawn at most this often: each drawing sends the whole card."""


async def begin(parts: Services, work: Work, actor: Actor, kind: str, asked: Submission) -> bool:
    """Stop what the page was at, then submit; False, with the reason kept, if it is refused."""
    await stop(parts, work)
    context = Context(actor.id, actor.role, asked.patient_id, asked.encounter_id)
    work.context, work.request_id, work.state, work.message = context, "", "queued", ""
    work.shown, work.partial, work.overtaken, work.place = {}, {}, False, 0
    task = parts.tasks[kind]
    try:
        if actor.role not in task.ask_roles:
            raise Refused("该角色不能提交这种任务。(This role may not ask for it.)")
        # Without a knowledge base nothing can be started, and the sentence says what to do.
        if task.needs_knowledge:
            _ = parts.knowledge
        row = await parts.jobs.submit(
            context,
            kind,
            asked.payload,
            asked.record_hash,
            options=asked.options or None,
            source=actor.source,
        )
    except (StoreError, TooManyJobs, EngineError, Refused) as error:
        work.state, work.message = "failed", str(error)
        return False
    work.request_id = row.id
    return True


async def stop(parts: Services, work: Work) -> None:
    """Cancel the request that is being worked on, if any."""
    if work.busy and work.request_id and work.context is not None:
        with contextlib.suppress(StoreError):
            await parts.jobs.cancel(work.context, work.request_id)
        work.state = "cancelled"


async def follow(parts: Services, work: Work) -> AsyncGenerator[Event]:
    """The events that change what is shown, each already kept in ``work``.

    Ends early when the page has begun another request meanwhile.
    """
    request_id, context = work.request_id, work.context
    if context is None:
        return
    drawn = 0.0
    clock = asyncio.get_running_loop().time
    async with contextlib.aclosing(parts.jobs.events(context, request_id)) as events:
        async for event in events:
            if work.request_id != request_id:
                return
            keep(work, event)
            if event.name == "delta":
                if clock() - drawn < DRAW_SECONDS:
                    continue
                drawn = clock()
            yield event


def keep(work: Work, event: Event) -> None:
    """Take one event into the session."""
    match event:
        case Waiting():
            work.place, work.expected_seconds = event.place, event.expected_seconds
        case Started():
            work.state, work.partial, work.place = "running", {}, 0
        case Delta():
            work.partial[event.section] = work.partial.get(event.section, "") + event.text
        case DraftReady():
            key = event.draft.key()
            work.partial.pop(key, None)
            if key not in work.shown or work.shown[key].draft_id != event.id:
                work.shown[key] = Shown(event.id, event.draft, work.context)
        case Finished():
            work.state, work.message = cast(State, event.name), event.message
            work.partial, work.place = {}, 0
