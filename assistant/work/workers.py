"""The workers over the store's queue: take, run, keep how it ended, beat."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from assistant.process_lock import ProcessLock
from assistant.store import RequestNotFound, RequestRow, Store
from assistant.store.models.request import RequestStatus
from assistant.store.requests import OPEN
from assistant.work import pace
from assistant.work.channel import Channel, Channels
from assistant.work.events import ENDS, Cancelled, Event, Failed, Finished, Restarted, Started
from assistant.work.lanes import LightLane
from assistant.work.patience import Patience
from assistant.work.performing import Work
from assistant.work.queue import Snapshot, first
from serving.engine import EngineBusy, EngineError, EngineLost
from serving.engines.replicas import affinity

logger = logging.getLogger("bedside.assistant.jobs")


class Workers:
    """``count`` workers for what needs a model, and the light lane."""

    def __init__(self, store: Store, work: Work, channels: Channels, count: int) -> None:
        self.count = count
        self.light = LightLane(store, work, channels, self.do)
        self.running: dict[str, asyncio.Task[None]] = {}
        self.tasks: list[asyncio.Task[None]] = []
        self.asked: set[str] = set()
        """The requests that somebody has asked about since the last beat."""

        self._store = store
        self._work = work
        self._channels = channels
        self._wake = asyncio.Event()
        self._process_lock = ProcessLock(store)

    async def start(self) -> None:
        """Queue again what a killed process left, then start."""
        alone = await asyncio.to_thread(self._process_lock.enter)
        await self._requeue(None if alone else timedelta(seconds=pace.SILENT_SECONDS))
        await asyncio.to_thread(self._process_lock.share)
        if self.count:
            for left in (await asyncio.to_thread(self._store.requests.queue)).waiting:
                self.light.notice(left.id, left.kind)
            self.tasks = [asyncio.create_task(self._take()) for _ in range(self.count)]
            self.tasks += self.light.workers()
        self.tasks.append(asyncio.create_task(self._tend()))

    async def stop(self) -> None:
        """Stop; what they were at goes back to the queue."""
        tasks = [*self.tasks, *self.running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.light.stop()
        self.tasks = []
        self._process_lock.leave()

    @property
    def alive(self) -> bool:
        """Whether every worker is there."""
        return len(self.tasks) > self.count and not any(task.done() for task in self.tasks)

    def notice(self, row: RequestRow) -> None:
        """A request was accepted."""
        self.light.notice(row.id, row.kind)
        self._wake.set()

    async def do(self, row: RequestRow) -> None:
        """Work on a request that was taken, to its end."""
        task = asyncio.create_task(self._run(row))
        self.running[row.id] = task
        try:
            await asyncio.wait({task})
            if not task.cancelled() and (error := task.exception()) is not None:
                logger.error("request %s was dropped: %s", row.id, type(error).__name__)
        finally:
            self.running.pop(row.id, None)

    async def status(self, request_id: str) -> RequestStatus | None:
        """How far a request is; None when it was purged, ``running`` while the store fails."""
        try:
            return await asyncio.to_thread(self._store.requests.status, request_id)
        except RequestNotFound:
            return None
        except Exception as error:
            logger.error("request %s: status unknown: %s", request_id, type(error).__name__)
            return "running"

    async def _take(self) -> None:
        """One worker: takes one request after the other.  No error of the store ends it."""

        def choose(queue: Snapshot, now: datetime) -> str | None:
            return first(queue.only(self._work.needs_model), now)

        while True:
            self._wake.clear()
            try:
                row = await asyncio.to_thread(self._store.requests.claim_next, choose)
            except Exception as error:
                logger.error("no request could be taken: %s", type(error).__name__)
                await asyncio.sleep(pace.RETRY_SECONDS)
                continue
            if row is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pace.POLL_SECONDS)
            else:
                await self.do(row)

    async def _run(self, row: RequestRow) -> None:
        channel = self._channels.of(row.id)
        started = time.perf_counter()
        end: Event | None = None
        # The task's own context: whatever its chains ask goes to the replica that has its record.
        affinity.set(row.encounter_id or row.patient_id)
        try:
            end = await self._ended(row, channel)
        except asyncio.CancelledError:
            end = await asyncio.shield(self._interrupted(row.id))
        finally:
            self.light.forget(row.id)
            self._channels.close(row.id, end)
        name = end.name if end is not None else "put back"
        logger.info("request %s %s in %.1f s", row.id, name, time.perf_counter() - started)

    async def _ended(self, row: RequestRow, channel: Channel) -> Event:
        """Do the work and keep how it ended."""
        requests = self._store.requests
        if await self.status(row.id) != "running":
            # Cancelled, or purged, after it was taken and before the work could be stopped.
            return Cancelled(id=row.id)
        prepared = await self.light.settle(row.id)
        channel.publish(Started(id=row.id, kind=row.kind))
        try:
            await self._perform(row, channel, prepared)
        except Exception as error:
            logger.error("request %s failed: %s", row.id, type(error).__name__)
            message = _say(error)
            await self._insist(lambda: requests.fail(row.id, message))
            return Failed(id=row.id, message=message)
        await self._insist(lambda: requests.finish(row.id))
        return Finished(id=row.id)

    async def _perform(self, row: RequestRow, channel: Channel, prepared: bool) -> None:
        """Run the chain; a full engine queue is waited for, the work having been accepted.

        So it is begun anew when the model was lost in the middle: what is kept is not made again.
        """
        patience = Patience()
        while True:
            try:
                steps = self._work.perform(row, prepared=prepared)
                async with contextlib.aclosing(steps) as told:
                    async for event in told:
                        channel.publish(event)
                return
            except (EngineBusy, EngineLost) as error:
                logger.info("request %s begins anew: %s", row.id, type(error).__name__)
                await patience.after(error, least=pace.BUSY_SECONDS)
            channel.restart(Restarted(id=row.id, kind=row.kind))
            prepared = False

    async def _interrupted(self, request_id: str) -> Event | None:
        """After the work was stopped: its end, or None when it went back to the queue."""
        status = await self.status(request_id)
        if status == "running":
            try:
                await asyncio.to_thread(self._store.requests.release, request_id)
            except Exception as error:
                logger.error("request %s not put back: %s", request_id, type(error).__name__)
            return None
        return ENDS.get(status or "", Cancelled)(id=request_id)

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
            await asyncio.sleep(pace.RETRY_SECONDS)

    async def _tend(self) -> None:
        """Say that the work here goes on, and take up what other processes left."""
        while True:
            await asyncio.sleep(pace.HEARTBEAT_SECONDS)
            try:
                for request_id in list(self.running):
                    await asyncio.to_thread(self._store.requests.heartbeat, request_id)
                await self._requeue(timedelta(seconds=pace.SILENT_SECONDS))
                await self._note_asked()
                for request_id in self.light.known() - self.running.keys():
                    if await self.status(request_id) not in OPEN:
                        self.light.forget(request_id)
                        self._channels.close(request_id)
            except Exception as error:
                logger.error("no heartbeat: %s", type(error).__name__)

    async def _note_asked(self) -> None:
        asked = self.asked | self._channels.heard()
        self.asked = set()
        if asked:
            await asyncio.to_thread(self._store.requests.asked, asked)

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
