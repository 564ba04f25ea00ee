"""Accepted work: kept in the store before it is answered for, run here, watched as events.

A request is on the disk before its 202 leaves; a process that is killed picks it up again when it
starts.  Events carry patient text and live in memory only while the job runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

from assistant.clinic import Clinic
from assistant.store import Context, Store
from assistant.store.models import RequestKind, RequestRow
from serving.engine import EngineBusy, EngineError

logger = logging.getLogger("bedside.assistant.jobs")

POLL_SECONDS = 2.0
"""How often an idle worker looks for work that another process has queued."""

HEARTBEAT_SECONDS = 10.0
BUSY_SECONDS = 1.0


class TooManyJobs(Exception):
    """The queue of accepted work is full; nothing was accepted."""

    def __init__(self, limit: int, retry_after: int = 10) -> None:
        super().__init__(
            f"{limit} requests are waiting already; nothing was accepted. "
            f"Try again in {retry_after} s."
        )
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a job: a name and JSON data."""

    name: str
    data: dict[str, Any]

    @property
    def last(self) -> bool:
        """True for the event after which nothing comes."""
        return self.name in ("finished", "failed", "cancelled")


@dataclass
class _Channel:
    """The events of one running job and who listens to them."""

    history: list[Event] = field(default_factory=list)
    listeners: set[asyncio.Queue[Event]] = field(default_factory=set)

    def publish(self, event: Event) -> None:
        self.history.append(event)
        for queue in self.listeners:
            queue.put_nowait(event)


class Jobs:
    """The workers over the store's queue of requests."""

    def __init__(self, store: Store, clinic: Clinic, *, workers: int, limit: int) -> None:
        self._store = store
        self._clinic = clinic
        self._workers = workers
        self._limit = limit
        self._wake = asyncio.Event()
        self._channels: dict[str, _Channel] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Queue again what a killed process left, then start the workers."""
        requeued = await asyncio.to_thread(self._store.requests.requeue_unfinished)
        if requeued:
            logger.info("%d unfinished requests are taken up again", requeued)
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]

    async def stop(self) -> None:
        """Stop the workers; what they were at goes back to the queue."""
        for task in (*self._tasks, *self._running.values()):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._running.values(), return_exceptions=True)
        self._tasks = []

    async def submit(
        self,
        context: Context,
        kind: RequestKind,
        payload: dict[str, Any],
        record_hash: str,
        *,
        idempotency_key: str | None = None,
        options: dict[str, Any] | None = None,
    ) -> RequestRow:
        """Accept a request: it is on the disk when this returns.

        Raises `TooManyJobs`, and what `Requests.submit` raises.
        """
        waiting = await asyncio.to_thread(self._store.requests.count, "queued")
        if waiting >= self._limit:
            raise TooManyJobs(self._limit)
        row = await asyncio.to_thread(
            self._store.requests.submit,
            context,
            kind,
            payload,
            record_hash,
            idempotency_key=idempotency_key,
            options=options,
        )
        if row.status == "queued":
            self._channels.setdefault(row.id, _Channel())
            self._wake.set()
        return row

    async def cancel(self, context: Context, request_id: str) -> RequestRow:
        """Stop a request; the model's place is free at once.  Raises `RequestNotFound`."""
        row = await asyncio.to_thread(self._store.requests.cancel, context, request_id)
        if task := self._running.get(request_id):
            task.cancel()
        elif channel := self._channels.pop(request_id, None):
            channel.publish(Event("cancelled", {"id": request_id}))
        return row

    async def events(self, context: Context, request_id: str) -> AsyncGenerator[Event]:
        """All events of a job from its beginning; ends with ``finished``, ``failed`` or
        ``cancelled``.  Of a job that has ended, its drafts and its end.  Raises `RequestNotFound`.
        """
        row = await asyncio.to_thread(self._store.requests.get, context, request_id)
        if channel := self._channels.get(row.id):
            queue: asyncio.Queue[Event] = asyncio.Queue()
            for event in channel.history:
                queue.put_nowait(event)
            channel.listeners.add(queue)
            try:
                while True:
                    event = await queue.get()
                    yield event
                    if event.last:
                        return
            finally:
                channel.listeners.discard(queue)
        drafts = await asyncio.to_thread(self._store.drafts.list, context, request_id)
        for draft in reversed(drafts):
            yield Event("draft", {"id": draft.id, **draft.content["draft"]})
        while row.status in ("queued", "running"):
            await asyncio.sleep(POLL_SECONDS)
            row = await asyncio.to_thread(self._store.requests.get, context, request_id)
        yield Event(row.status, {"id": row.id, "message": row.failure or ""})

    async def finished(self, context: Context, request_id: str) -> Event:
        """Wait for the end of a job and give its last event."""
        last = Event("failed", {"id": request_id})
        async with contextlib.aclosing(self.events(context, request_id)) as events:
            async for event in events:
                last = event
        return last

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            row = await asyncio.to_thread(self._store.requests.claim_next)
            if row is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
                continue
            task = asyncio.create_task(self._run(row))
            self._running[row.id] = task
            try:
                await asyncio.wait({task})
            finally:
                self._running.pop(row.id, None)

    async def _run(self, row: RequestRow) -> None:
        channel = self._channels.setdefault(row.id, _Channel())
        started = time.perf_counter()
        channel.publish(Event("started", {"id": row.id, "kind": row.kind}))
        beating = asyncio.create_task(self._heartbeat(row.id))
        end = Event("cancelled", {"id": row.id})
        try:
            await self._perform(row, channel)
            await asyncio.to_thread(self._store.requests.finish, row.id)
            end = Event("finished", {"id": row.id})
        except asyncio.CancelledError:
            status = await asyncio.shield(asyncio.to_thread(self._store.requests.status, row.id))
            if status == "running":
                await asyncio.shield(asyncio.to_thread(self._store.requests.release, row.id))
        except Exception as error:
            message = _say(error)
            logger.error("request %s failed: %s", row.id, type(error).__name__)
            await asyncio.to_thread(self._store.requests.fail, row.id, message)
            end = Event("failed", {"id": row.id, "message": message})
        finally:
            beating.cancel()
            self._channels.pop(row.id, None)
            channel.publish(end)
        logger.info("request %s %s in %.1f s", row.id, end.name, time.perf_counter() - started)

    async def _perform(self, row: RequestRow, channel: _Channel) -> None:
        """Run the chain; a full engine queue is waited for, the work having been accepted."""
        while True:
            try:
                async with contextlib.aclosing(self._clinic.perform(row)) as steps:
                    async for name, data in steps:
                        channel.publish(Event(name, data))
                return
            except EngineBusy as busy:
                await asyncio.sleep(max(BUSY_SECONDS, busy.retry_after))

    async def _heartbeat(self, request_id: str) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await asyncio.to_thread(self._store.requests.heartbeat, request_id)


def _say(error: Exception) -> str:
    """A sentence for the doctor; only our own errors speak for themselves."""
    if isinstance(error, EngineError):
        return str(error)
    return "处理时发生内部错误，请重试；若再次发生，请把请求编号告诉管理员。"
