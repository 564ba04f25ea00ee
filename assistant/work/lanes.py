"""The light lane: work that needs no model, and what comes at once of work that does.

It has no place of a model to wait for, so a doctor's click is answered while sixty jobs of somebody
else wait for one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from assistant.store import RequestRow, Store
from assistant.work import pace
from assistant.work.channel import Channels
from assistant.work.performing import Work
from assistant.work.queue import Snapshot, Waiting, order

logger = logging.getLogger("bedside.assistant.jobs")


class LightLane:
    """The workers of the lane, and which requests they have prepared."""

    def __init__(
        self,
        store: Store,
        work: Work,
        channels: Channels,
        do: Callable[[RequestRow], Awaitable[None]],
    ) -> None:
        self._store = store
        self._work = work
        self._channels = channels
        self._do = do
        self._wake = asyncio.Event()
        self._soon: set[str] = set()
        self._preparing: dict[str, asyncio.Task[None]] = {}
        self._prepared: set[str] = set()
        self._turns: dict[tuple[str, ...], datetime] = {}

    def notice(self, request_id: str, kind: str) -> None:
        """A request was accepted, or was found at the start."""
        if self._work.prepares(kind):
            self._soon.add(request_id)
        if self._work.prepares(kind) or not self._work.needs_model(kind):
            self._wake.set()

    def holds(self, request_id: str) -> bool:
        """Whether something was told of the request, or is about to be."""
        return request_id in self._prepared or request_id in self._preparing

    def known(self) -> set[str]:
        """The requests of which something is kept here."""
        return self._soon | self._prepared

    async def settle(self, request_id: str) -> bool:
        """The request's turn has come: whether it was prepared, waiting if it just is."""
        self._soon.discard(request_id)
        if task := self._preparing.get(request_id):
            await asyncio.wait({task})
        return request_id in self._prepared

    def forget(self, request_id: str) -> None:
        """The request has ended."""
        self._soon.discard(request_id)
        self._prepared.discard(request_id)
        if task := self._preparing.get(request_id):
            task.cancel()

    def workers(self) -> list[asyncio.Task[None]]:
        """Start them."""
        whole = [self._run(self._choose_whole, self._whole) for _ in range(pace.LIGHT_RUNNERS)]
        first = [self._run(self._choose_first, self._first) for _ in range(pace.PREPARERS)]
        return [asyncio.create_task(worker) for worker in (*whole, *first)]

    async def stop(self) -> None:
        """Stop what is being prepared."""
        for task in self._preparing.values():
            task.cancel()
        await asyncio.gather(*self._preparing.values(), return_exceptions=True)

    async def _run(
        self,
        choose: Callable[[Snapshot], Waiting | None],
        take: Callable[[Waiting], Awaitable[None]],
    ) -> None:
        while True:
            self._wake.clear()
            try:
                chosen = choose(await asyncio.to_thread(self._store.requests.queue))
                if chosen is not None:
                    await take(chosen)
                    continue
            except Exception as error:
                logger.error("light work could not be taken: %s", type(error).__name__)
                await asyncio.sleep(pace.RETRY_SECONDS)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pace.POLL_SECONDS)

    def _choose_whole(self, found: Snapshot) -> Waiting | None:
        return self._next([w for w in found.waiting if not self._work.needs_model(w.kind)])

    def _choose_first(self, found: Snapshot) -> Waiting | None:
        chosen = self._next([w for w in found.waiting if w.id in self._soon])
        if chosen is not None:
            # Nothing may come between choosing and this: the other workers choose as well.
            self._soon.discard(chosen.id)
        return chosen

    def _next(self, waiting: list[Waiting]) -> Waiting | None:
        now = datetime.now(UTC)
        ordered = order(waiting, self._turns, now)
        if not ordered:
            return None
        chosen = ordered[0]
        self._turns[(chosen.source,)] = self._turns[(chosen.source, chosen.actor)] = now
        return chosen

    async def _whole(self, chosen: Waiting) -> None:
        row = await asyncio.to_thread(self._store.requests.claim, chosen.id)
        if row is not None:
            await self._do(row)

    async def _first(self, chosen: Waiting) -> None:
        task = asyncio.create_task(self._prepare(chosen.id))
        self._preparing[chosen.id] = task
        try:
            await asyncio.wait({task})
        finally:
            self._preparing.pop(chosen.id, None)

    async def _prepare(self, request_id: str) -> None:
        """Tell what comes at once.  What goes wrong here goes wrong again when its turn comes."""
        row = await asyncio.to_thread(self._store.requests.queued, request_id)
        if row is None:
            return
        channel = self._channels.of(request_id)
        try:
            async with contextlib.aclosing(self._work.prepare(row)) as told:
                async for event in told:
                    channel.publish(event)
        except Exception as error:
            logger.error("request %s is not prepared: %s", request_id, type(error).__name__)
        # Also then: what was told so far was told.
        self._prepared.add(request_id)
