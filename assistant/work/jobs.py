"""Accepted work: kept in the store before it is answered for, run here, watched as events.

A request is on the disk before its 202 leaves; a process that is killed picks it up again when it
starts, or another one does when its heartbeat has stopped.  Events carry patient text and live in
memory only while the job runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from assistant.clinic import Clinic
from assistant.process_lock import Presence
from assistant.store import Context, QueueFull, RequestNotFound, Store
from assistant.store.models import RequestKind, RequestRow, RequestStatus
from assistant.store.requests import OPEN
from serving.engine import EngineBusy, EngineError

logger = logging.getLogger("bedside.assistant.jobs")

POLL_SECONDS = 2.0
"""How often an idle worker looks for work that another process has queued."""

HEARTBEAT_SECONDS = 10.0
SILENT_SECONDS = 3 * HEARTBEAT_SECONDS
"""A running request without a heartbeat for so long belongs to a process that is gone."""

BUSY_SECONDS = 1.0
RETRY_SECONDS = 1.0
"""How long to wait before a change that the store refused is tried again."""


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
    """The events of one job and who listens to them; there while it runs or somebody listens."""

    history: list[Event] = field(default_factory=list)
    listeners: set[asyncio.Queue[Event]] = field(default_factory=set)

    def publish(self, event: Event) -> None:
        self.history.append(event)
        for queue in self.listeners:
            queue.put_nowait(event)

    def restart(self, event: Event) -> None:
        """What was told so far counts no more; who comes later is not told it."""
        self.history.clear()
        self.publish(event)


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
        self._presence = Presence(store)

    async def start(self) -> None:
        """Queue again what a killed process left, then start the workers."""
        alone = await asyncio.to_thread(self._presence.enter)
        await self._requeue(None if alone else timedelta(seconds=SILENT_SECONDS))
        await asyncio.to_thread(self._presence.share)
        self._tasks = [asyncio.create_task(self._work()) for _ in range(self._workers)]
        self._tasks.append(asyncio.create_task(self._tend()))

    async def stop(self) -> None:
        """Stop the workers; what they were at goes back to the queue."""
        tasks = [*self._tasks, *self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []
        self._presence.leave()

    @property
    def alive(self) -> bool:
        """Whether every worker is there."""
        return len(self._tasks) > self._workers and not any(task.done() for task in self._tasks)

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
        try:
            row = await asyncio.to_thread(
                self._store.requests.submit,
                context,
                kind,
                payload,
                record_hash,
                idempotency_key=idempotency_key,
                options=options,
                max_queued=self._limit,
            )
        except QueueFull:
            raise TooManyJobs(self._limit) from None
        self._wake.set()
        return row

    async def cancel(self, context: Context, request_id: str) -> RequestRow:
        """Stop a request; the model's place is free at once.  Raises `RequestNotFound`."""
        row = await asyncio.to_thread(self._store.requests.cancel, context, request_id)
        if task := self._running.get(request_id):
            task.cancel()
        elif row.status == "cancelled" and (channel := self._channels.pop(request_id, None)):
            channel.publish(Event("cancelled", {"id": request_id}))
        return row

    async def events(self, context: Context, request_id: str) -> AsyncGenerator[Event]:
        """All events of a job from its beginning; ends with ``finished``, ``failed`` or
        ``cancelled``.  Of a job that has ended or that another process works on, its drafts and
        its end.  Each draft comes once.  Raises `RequestNotFound`.
        """
        row = await asyncio.to_thread(self._store.requests.get, context, request_id)
        seen: set[str] = set()
        if row.status in OPEN:
            if row.attempts and row.id not in self._running:
                async for event in self._unseen(context, row.id, seen):
                    yield event
            async with contextlib.aclosing(self._followed(row.id)) as followed:
                async for event in followed:
                    if event.name == "draft":
                        if event.data["id"] in seen:
                            continue
                        seen.add(event.data["id"])
                    yield event
                    if event.last:
                        return
        async for event in self._unseen(context, row.id, seen):
            yield event
        try:
            row = await asyncio.to_thread(self._store.requests.get, context, row.id)
        except RequestNotFound:
            yield Event("failed", {"id": request_id, "message": "该请求已被清除。(Purged.)"})
            return
        yield Event(row.status, {"id": row.id, "message": row.failure or ""})

    async def _unseen(
        self, context: Context, request_id: str, seen: set[str]
    ) -> AsyncGenerator[Event]:
        """The drafts that are kept and not in ``seen``, which they are added to."""
        drafts = await asyncio.to_thread(self._store.drafts.list, context, request_id)
        for draft in reversed(drafts):
            if draft.id not in seen:
                seen.add(draft.id)
                yield Event("draft", {"id": draft.id, **draft.content["draft"]})

    async def _followed(self, request_id: str) -> AsyncGenerator[Event]:
        """What is told here of an open request, until the store says that it has ended.

        The end itself is told only of what is worked on in this process.
        """
        channel = self._channels.setdefault(request_id, _Channel())
        queue: asyncio.Queue[Event] = asyncio.Queue()
        for event in channel.history:
            queue.put_nowait(event)
        channel.listeners.add(queue)
        try:
            while True:
                try:
                    async with asyncio.timeout(POLL_SECONDS):
                        event = await queue.get()
                except TimeoutError:
                    if await self._status(request_id) not in OPEN:
                        return
                    continue
                yield event
        finally:
            channel.listeners.discard(queue)
            unused = not channel.listeners and request_id not in self._running
            if unused and self._channels.get(request_id) is channel:
                del self._channels[request_id]

    async def finished(self, context: Context, request_id: str) -> Event:
        """Wait for the end of a job and give its last event."""
        last = Event("failed", {"id": request_id})
        async with contextlib.aclosing(self.events(context, request_id)) as events:
            async for event in events:
                last = event
        return last

    async def work_on(self, request_id: str) -> None:
        """Do this request here and now, unless another process was quicker to take it."""
        row = await asyncio.to_thread(self._store.requests.claim, request_id)
        if row is not None:
            await self._do(row)

    async def _work(self) -> None:
        """One worker: takes one request after the other.  No error of the store ends it."""
        while True:
            self._wake.clear()
            try:
                row = await asyncio.to_thread(self._store.requests.claim_next)
            except Exception as error:
                logger.error("no request could be taken: %s", type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if row is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            else:
                await self._do(row)

    async def _do(self, row: RequestRow) -> None:
        task = asyncio.create_task(self._run(row))
        self._running[row.id] = task
        try:
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("request %s was dropped: %s", row.id, type(error).__name__)
        finally:
            self._running.pop(row.id, None)

    async def _run(self, row: RequestRow) -> None:
        channel = self._channels.setdefault(row.id, _Channel())
        started = time.perf_counter()
        end: Event | None = None
        try:
            end = await self._ended(row, channel)
        except asyncio.CancelledError:
            end = await asyncio.shield(self._interrupted(row.id))
        finally:
            self._channels.pop(row.id, None)
            if end is not None:
                channel.publish(end)
        name = end.name if end is not None else "put back"
        logger.info("request %s %s in %.1f s", row.id, name, time.perf_counter() - started)

    async def _ended(self, row: RequestRow, channel: _Channel) -> Event:
        """Do the work and keep how it ended."""
        requests = self._store.requests
        if await self._status(row.id) != "running":
            # Cancelled, or purged, after it was taken and before the work could be stopped.
            return Event("cancelled", {"id": row.id})
        channel.publish(Event("started", {"id": row.id, "kind": row.kind}))
        try:
            await self._perform(row, channel)
        except Exception as error:
            logger.error("request %s failed: %s", row.id, type(error).__name__)
            message = _say(error)
            await self._insist(lambda: requests.fail(row.id, message))
            return Event("failed", {"id": row.id, "message": message})
        await self._insist(lambda: requests.finish(row.id))
        return Event("finished", {"id": row.id})

    async def _interrupted(self, request_id: str) -> Event | None:
        """After the work was stopped: its end, or None when it went back to the queue."""
        status = await self._status(request_id)
        if status == "running":
            try:
                await asyncio.to_thread(self._store.requests.release, request_id)
            except Exception as error:
                logger.error("request %s not put back: %s", request_id, type(error).__name__)
            return None
        return Event(status or "cancelled", {"id": request_id})

    async def _insist(self, change: Callable[[], object]) -> None:
        """Make a change in the store, again and again until it is kept (or was purged)."""
        while True:
            try:
                await asyncio.to_thread(change)
                return
            except RequestNotFound:
                return
            except Exception as error:
                logger.error("the end of a request is not kept yet: %s", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)

    async def _status(self, request_id: str) -> RequestStatus | None:
        """How far a request is; None when it was purged, ``running`` while the store fails."""
        try:
            return await asyncio.to_thread(self._store.requests.status, request_id)
        except RequestNotFound:
            return None
        except Exception as error:
            logger.error("request %s: status unknown: %s", request_id, type(error).__name__)
            return "running"

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
                channel.restart(Event("restarted", {"id": row.id, "kind": row.kind}))

    async def _tend(self) -> None:
        """Say that the work here goes on, and take up what other processes left."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                for request_id in list(self._running):
                    await asyncio.to_thread(self._store.requests.heartbeat, request_id)
                await self._requeue(timedelta(seconds=SILENT_SECONDS))
            except Exception as error:
                logger.error("no heartbeat: %s", type(error).__name__)

    async def _requeue(self, silent_for: timedelta | None) -> None:
        requeued = await asyncio.to_thread(self._store.requests.requeue_unfinished, silent_for)
        if requeued:
            logger.info("%d unfinished requests are taken up again", requeued)
            self._wake.set()


def _say(error: Exception) -> str:
    """A sentence for the doctor; only our own errors speak for themselves."""
    if isinstance(error, EngineError):
        return str(error)
    return "处理时发生内部错误，请重试；若再次发生，请把请求编号告诉管理员。"
