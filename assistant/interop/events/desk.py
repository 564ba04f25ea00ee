"""Takes events in, and makes the requests whose time has come."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from assistant.api.context import Services
from assistant.interop.arrival import taker
from assistant.interop.events.event import RecordEvent
from assistant.interop.events.planning import Skipped, plans
from assistant.interop.events.rule import EventRule, event_rules
from assistant.interop.fhir.mapping import OWN_FILE, load
from assistant.interop.handing import hand_on
from assistant.store import Context
from assistant.store.models.request import RequestRow
from assistant.store.record_events import Received

logger = logging.getLogger("bedside.assistant.events")
POLL_SECONDS = 1.0


async def receive(
    parts: Services,
    context: Context,
    application: str,
    event: RecordEvent,
    *,
    at_once: bool = True,
) -> tuple[Received, list[Skipped]]:
    """Keep an event and begin what the rules want; on the disk when this returns.

    Without ``at_once`` the process with workers begins it, as in one that has none.

    Raises `EventRulesInvalid`, `IdempotencyConflict`, `InvalidArgument`.
    """
    received, skipped = await asyncio.to_thread(
        _received, parts, context, application, event, at_once
    )
    _notice(parts, received.requests)
    return received, skipped


def _received(
    parts: Services, context: Context, application: str, event: RecordEvent, at_once: bool
) -> tuple[Received, list[Skipped]]:
    wanted, skipped = plans(
        event,
        rules_of(parts.settings.home),
        parts.tasks,
        parts.settings,
        parts.store.database.clock(),
        has_knowledge=parts.has_knowledge,
    )
    received = parts.store.record_events.receive(
        context,
        application,
        event.id,
        event.type,
        event.encounter.record_hash(),
        wanted,
        parts.settings.max_waiting,
        at_once=at_once,
    )
    return received, skipped


def rules_of(home: Path) -> Sequence[EventRule]:
    """The rules as they are now: an administrator edits them while the server runs."""
    return event_rules(home)


async def take_messages(parts: Services) -> int:
    """Hand on the messages that wait: a kill between a message and its event leaves some.

    Raises `MappingInvalid`.
    """
    return await asyncio.to_thread(_take_messages, parts)


def _take_messages(parts: Services) -> int:
    store = parts.store
    if not store.messages.waiting(1):
        return 0
    return hand_on(store, taker(parts.settings, store), load(parts.settings.home / OWN_FILE))


async def make_due(parts: Services) -> int:
    """Make the requests whose time has come; gives how many."""
    made = await asyncio.to_thread(parts.store.record_events.make_due, parts.settings.max_waiting)
    _notice(parts, made)
    return len(made)


async def tend(parts: Services) -> None:
    """Take messages and make what is due, again and again.  No error of the store ends it, and
    messages that cannot be read hold up nothing else."""
    while True:
        for step in (take_messages, make_due):
            try:
                await step(parts)
            except Exception as error:
                logger.error("no event could be worked on: %s", type(error).__name__)
        await asyncio.sleep(POLL_SECONDS)


@contextlib.asynccontextmanager
async def tended(parts: Services) -> AsyncGenerator[None]:
    """While this is open, what is due is made."""
    task = asyncio.create_task(tend(parts))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _notice(parts: Services, rows: Sequence[RequestRow]) -> None:
    for row in rows:
        if row.status == "queued":
            parts.jobs.workers.notice(row)
