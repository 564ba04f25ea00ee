"""Accepted work: kept in the store before it is answered for, watched as events.

A request is on the disk before its 202 leaves; a process that is killed picks it up again when it
starts, or another one does when its heartbeat has stopped.  Whose turn it is `assistant.work.queue`
says, and `assistant.work.workers` does the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

from assistant.store import Context, QueueFull, RequestNotFound, Store, StoreError
from assistant.store.models.request import RequestRow
from assistant.store.requests import OPEN
from assistant.work import pace
from assistant.work.channel import Channels
from assistant.work.events import ENDS, Cancelled, DraftReady, Event, Failed, Waiting
from assistant.work.performing import Work
from assistant.work.queue import Outlook, Snapshot, outlook
from assistant.work.task import digest
from assistant.work.workers import Workers


class TooManyJobs(Exception):
    """The queue of accepted work is full; nothing was accepted."""

    def __init__(self, limit: int, retry_after: int = 10) -> None:
        super().__init__(
            f"{limit} requests are waiting already; nothing was accepted. "
            f"Try again in {retry_after} s."
        )
        self.retry_after = retry_after


Join = Callable[[Context, dict[str, Any]], dict[str, Any]]


def _rehashed(payload: dict[str, Any], joined: dict[str, Any], record_hash: str) -> str:
    """The hash of ``joined``, over what ``record_hash`` was over."""
    record = payload.get("encounter")
    over_record = record is not None and digest(record) == record_hash
    return digest(joined["encounter"] if over_record else joined)


class Jobs:
    """Submits, watches and cancels requests; the workers are its own."""

    def __init__(
        self, store: Store, work: Work, *, workers: int, limit: int, join: Join | None = None
    ) -> None:
        """``join`` gives a payload with what is known of its patient."""
        self._store = store
        self._work = work
        self._limit = limit
        self._join = join
        if join is not None:
            # What events ask for sees the record as what people ask for does.
            store.record_events.join = self._with_known
        self._seen_at = 0.0
        self._queue = Snapshot()
        self.channels = Channels()
        self.workers = Workers(store, work, self.channels, workers)

    def _with_known(
        self, context: Context, payload: dict[str, Any], record_hash: str
    ) -> tuple[dict[str, Any], str]:
        """The payload with what is known of its patient, and the hash that it then has."""
        joined = payload if self._join is None else self._join(context, payload)
        if joined is payload:
            return payload, record_hash
        return joined, _rehashed(payload, joined, record_hash)

    async def start(self) -> None:
        """Queue again what a killed process left, then start the workers."""
        await self.workers.start()

    async def stop(self) -> None:
        """Stop the workers; what they were at goes back to the queue."""
        await self.workers.stop()

    @property
    def alive(self) -> bool:
        """Whether every worker is there."""
        return self.workers.alive

    async def submit(
        self,
        context: Context,
        kind: str,
        payload: dict[str, Any],
        record_hash: str,
        *,
        idempotency_key: str | None = None,
        options: dict[str, Any] | None = None,
        source: str = "",
        batch: bool = False,
    ) -> RequestRow:
        """Accept a request: it is on the disk when this returns.

        Raises `TooManyJobs`, and what `Attachments.check` and `Requests.submit` raise.
        """
        bound = self._work.bound(kind)
        await asyncio.to_thread(self._store.attachments.check, context, payload)
        sent = [payload, record_hash]
        if self._join is not None:
            payload, record_hash = await asyncio.to_thread(
                self._with_known, context, payload, record_hash
            )
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
                bound=bound,
                source=source,
                batch=batch,
                sent=sent,
            )
        except QueueFull:
            raise TooManyJobs(self._limit) from None
        if row.status == "queued":
            self.workers.notice(row)
        return row

    async def cancel(self, context: Context, request_id: str) -> RequestRow:
        """Stop a request; the model's place is free at once.  Raises `RequestNotFound`."""
        row = await asyncio.to_thread(self._store.requests.cancel, context, request_id)
        if task := self.workers.running.get(request_id):
            task.cancel()
        elif row.status == "cancelled":
            self.workers.light.forget(request_id)
            self.channels.close(request_id, Cancelled(id=request_id))
        return row

    async def outlook(self, request_id: str, kind: str) -> Outlook | None:
        """Where a request stands in its queue; None when it does not wait.

        Whoever asks is noted to be still there.
        """
        self.workers.asked.add(request_id)
        if time.monotonic() - self._seen_at > pace.LOOK_SECONDS:
            self._queue = await asyncio.to_thread(self._store.requests.queue)
            self._seen_at = time.monotonic()
        needs = self._work.needs_model(kind)
        lane = self._queue.only(lambda other: self._work.needs_model(other) == needs)
        slots = self.workers.count if needs else pace.LIGHT_RUNNERS
        return outlook(lane, request_id, slots, self._store.database.clock())

    async def events(self, context: Context, request_id: str) -> AsyncGenerator[Event]:
        """All events of a job from its beginning; ends with ``finished``, ``failed`` or
        ``cancelled``.  Of a job that has ended or that another process works on, its drafts and
        its end.  Each draft comes once.  Raises `RequestNotFound`.
        """
        row = await asyncio.to_thread(self._store.requests.get, context, request_id)
        seen: set[str] = set()
        if row.status in OPEN:
            if row.attempts and row.id not in self.workers.running:
                async for event in self._unseen(context, row.id, seen):
                    yield event
            async with contextlib.aclosing(self._followed(row)) as followed:
                async for event in followed:
                    if isinstance(event, DraftReady):
                        if event.id in seen:
                            continue
                        seen.add(event.id)
                    yield event
                    if event.last:
                        return
        async for event in self._unseen(context, row.id, seen):
            yield event
        try:
            row = await asyncio.to_thread(self._store.requests.get, context, row.id)
        except RequestNotFound:
            yield Failed(id=request_id, message="该请求已被清除。(Purged.)")
            return
        yield ENDS.get(row.status, Failed)(id=row.id, message=row.failure or "")

    async def _unseen(
        self, context: Context, request_id: str, seen: set[str]
    ) -> AsyncGenerator[Event]:
        """The drafts that are kept and not in ``seen``, which they are added to."""
        drafts = await asyncio.to_thread(self._store.drafts.list, context, request_id)
        for draft in reversed(drafts):
            if draft.id not in seen:
                seen.add(draft.id)
                yield DraftReady(id=draft.id, draft=self._work.draft(draft))

    async def _followed(self, row: RequestRow) -> AsyncGenerator[Event]:
        """What is told here of an open request, until the store says that it has ended.

        The end itself is told only of what is worked on in this process.
        """
        queue = self.channels.of(row.id).listen()
        waiting = row.status == "queued"
        last_told: Waiting | None = None
        try:
            while True:
                if waiting and (now := await self._waiting(row)) != last_told and now is not None:
                    last_told = now
                    yield now
                try:
                    async with asyncio.timeout(pace.POLL_SECONDS):
                        event = await queue.get()
                except TimeoutError:
                    status = await self.workers.status(row.id)
                    if status not in OPEN:
                        return
                    waiting = status == "queued"
                    continue
                waiting = waiting and event.name not in ("started", "restarted")
                yield event
        finally:
            held = row.id in self.workers.running or self.workers.light.holds(row.id)
            self.channels.leave(row.id, queue, keep=held)

    async def _waiting(self, row: RequestRow) -> Waiting | None:
        """Where the request stands, when it has to wait for others."""
        try:
            found = await self.outlook(row.id, row.kind)
        except StoreError:
            return None
        if found is None or (found.place < 2 and not found.expected_seconds):
            return None
        seconds = None if found.expected_seconds is None else round(found.expected_seconds, 1)
        return Waiting(id=row.id, place=found.place, expected_seconds=seconds)

    async def finished(self, context: Context, request_id: str) -> Event:
        """Wait for the end of a job and give its last event."""
        last: Event = Failed(id=request_id)
        async with contextlib.aclosing(self.events(context, request_id)) as events:
            async for event in events:
                last = event
        return last

    async def work_on(self, request_id: str) -> None:
        """Do this request here and now, unless another process was quicker to take it."""
        row = await asyncio.to_thread(self._store.requests.claim, request_id)
        if row is not None:
            await self.workers.do(row)
