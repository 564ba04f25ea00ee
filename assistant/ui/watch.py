"""Follow a request's events into the session, so that the pages only draw."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any, cast

from pydantic import TypeAdapter

from assistant.api.context import Services
from assistant.draft import Answer, DifferentialDraft, SectionDraft
from assistant.review.fill_in import Draft
from assistant.store import Context, StoreError
from assistant.store.models import RequestKind
from assistant.tasks.structuring.chain import StructuredNotes
from assistant.ui.session import NotesWork, Shown, State, Work
from assistant.work.jobs import Event, TooManyJobs
from serving.engine import EngineError

_DRAFT: TypeAdapter[Draft] = TypeAdapter(DifferentialDraft | SectionDraft | Answer)
DRAW_SECONDS = 0.12
"""Generated text is drawn at most this often: each drawing sends the whole card."""


async def begin(
    parts: Services,
    work: Work,
    context: Context,
    kind: RequestKind,
    payload: dict[str, Any],
    record_hash: str,
    *,
    needs_knowledge: bool = True,
) -> bool:
    """Stop what the page was at, then submit; False, with the reason kept, if it is refused."""
    await stop(parts, work)
    work.context, work.request_id, work.state, work.message = context, "", "queued", ""
    work.shown, work.partial, work.overtaken = {}, {}, False
    try:
        # Without a knowledge base nothing can be started, and the sentence says what to do.
        if needs_knowledge:
            _ = parts.clinic.knowledge
        row = await parts.jobs.submit(context, kind, payload, record_hash)
    except (StoreError, TooManyJobs, EngineError) as error:
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
    match event.name:
        case "started" | "restarted":
            work.state, work.partial = "running", {}
        case "delta":
            section = event.data.get("section", "")
            work.partial[section] = work.partial.get(section, "") + event.data["text"]
        case "draft" if isinstance(work, NotesWork):
            body = {key: value for key, value in event.data.items() if key != "id"}
            work.result = StructuredNotes.model_validate(body)
        case "draft":
            body = {key: value for key, value in event.data.items() if key != "id"}
            draft = _DRAFT.validate_python(body)
            key = key_of(draft)
            work.partial.pop(key, None)
            if key not in work.shown or work.shown[key].draft_id != event.data["id"]:
                work.shown[key] = Shown(event.data["id"], draft)
        case "finished" | "failed" | "cancelled":
            work.state = cast(State, event.name)
            work.message = event.data.get("message", "")
            work.partial = {}


def key_of(draft: Draft) -> str:
    """The card that a draft belongs to: the member, the section, or the one answer."""
    if isinstance(draft, DifferentialDraft):
        return draft.member
    return draft.section if isinstance(draft, SectionDraft) else ""
