"""From a study that arrives to results that have gone out, with nobody in between.

Instances are kept by the listener's threads.  One loop looks after the studies: it judges those
that have gone quiet, starts tasks on those that are complete, and delivers what these found.  All
that it knows stands in the store; after a kill it goes on where it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from assistant.interop.dicom import routing
from assistant.interop.dicom.completeness import lacking
from assistant.interop.dicom.delivery import Delivery
from assistant.interop.dicom.listening import Listening
from assistant.interop.dicom.receiving import Receiving
from assistant.interop.dicom.starting import Starting
from assistant.store import Store
from assistant.store.models.study import DicomStudyRow
from assistant.store.studies import State
from assistant.work.jobs import Jobs, TooManyJobs
from assistant.work.registry import Registry
from assistant.work.resources import Resources

logger = logging.getLogger("bedside.assistant.dicom")

LOOK_SECONDS = 1.0


class Reception:
    """The listener and the loop behind it."""

    def __init__(self, store: Store, tasks: Registry, resources: Resources, jobs: Jobs) -> None:
        settings = resources.settings
        self._settings = settings
        self._store = store
        self._rules = routing.load(settings.dicom, settings.home)
        self._starting = Starting(settings, store, tasks, jobs)
        self._delivery = Delivery(store, tasks, resources)
        receiving = Receiving(settings.dicom, store, settings.home)
        self.listening = Listening(settings.dicom, receiving, lambda: None)
        self._loop: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and look after studies.  Raises `CannotListen`."""
        await asyncio.to_thread(self.listening.start)
        self._loop = asyncio.create_task(self._look_after())

    async def stop(self) -> None:
        """Take nothing more."""
        await asyncio.to_thread(self.listening.stop)
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)

    async def _look_after(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:
                logger.error("studies could not be looked after: %s", type(error).__name__)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Do once what there is to do."""
        for row in await asyncio.to_thread(self._store.studies.pending):
            await self._apart(row, self._judge)
        for row in await asyncio.to_thread(self._store.studies.under_way):
            await self._apart(row, self._go_on)

    async def _apart(
        self, row: DicomStudyRow, do: Callable[[DicomStudyRow], Awaitable[None]]
    ) -> None:
        """A study that makes trouble holds up no other."""
        try:
            await do(row)
        except Exception as error:
            logger.error("study %s was not looked after: %s", row.id, type(error).__name__)

    async def _judge(self, row: DicomStudyRow) -> None:
        """Settle a study that has gone quiet; one of which more comes is left alone."""
        settings = self._settings.dicom
        quiet = self._store.database.clock() - row.arrived_at
        if quiet < timedelta(seconds=settings.quiet_seconds):
            return
        note = lacking(row.series)
        state: State = "complete"
        if note:
            patient = quiet < timedelta(seconds=settings.patience_seconds)
            state = "waiting" if patient else "incomplete"
        if row.state == state:
            return
        settled = await asyncio.to_thread(
            self._store.studies.settle, row.id, row.arrived_at, state, note
        )
        if settled and note:
            logger.warning("study %s lacks instances: %s", row.id, state)

    async def _go_on(self, row: DicomStudyRow) -> None:
        """Start what fits a complete study, and deliver what is ready."""
        try:
            await self._starting.start(row, self._rules)
        except TooManyJobs:
            # The queue is full; the next look finds it shorter.
            return
        current = await asyncio.to_thread(self._store.studies.get, row.id)
        if current is None or current.state != "complete":
            return
        if await self._delivery.deliver(current):
            await asyncio.to_thread(
                self._store.studies.settle, row.id, row.arrived_at, "done", current.note
            )


def summary(row: DicomStudyRow) -> Sequence[str]:
    """How a study stands, in words for an administrator: state, series, note, routes."""
    kinds = [f"{one['modality']}×{one['instances']}" for one in row.series.values()]
    routes = [
        f"{one['kind']}（{one['rule']}）：{ROUTE_ZH.get(one['state'], one['state'])}"
        + (f" {one['note']}" if one["note"] else "")
        for one in row.routes.values()
    ]
    return [STATE_ZH[row.state], "、".join(kinds), row.note, "；".join(routes)]


STATE_ZH = {
    "open": "接收中 arriving",
    "waiting": "等待补齐 waiting",
    "incomplete": "不完整 incomplete",
    "complete": "处理中 working",
    "done": "完成 done",
}
ROUTE_ZH = {
    "started": "处理中 working",
    "delivered": "已送出 delivered",
    "failed": "失败 failed",
    "refused": "未启动 not started",
}
