"""The record that a call is about: its resources looked into and read, once for a visit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from assistant.alerts.chart import Chart
from assistant.interop.fhir.mapping import Mapping
from assistant.interop.hooks.assembling import (
    Assembled,
    Seen,
    assemble,
    drafts_of,
    read_chart,
    without,
)
from assistant.interop.hooks.caller import Caller
from assistant.interop.hooks.fetching import Resource
from assistant.interop.hooks.gathering import gather, sent_with
from assistant.interop.hooks.keeping import Kept, Recent
from assistant.interop.hooks.message import HookRequest
from assistant.interop.hooks.refusal import DataMissing, HookRefused
from assistant.interop.hooks.service import HookService
from assistant.interop.hooks.wire import digest
from assistant.interop.settings import HookSettings
from assistant.store import Store

logger = logging.getLogger("bedside.assistant.hooks")
MOST = 512
"""Charts that are kept: one is opened, an order selected and signed within minutes."""
FEW_ORDERS = 20
"""So many draft orders are read at once; more in a thread, where they keep nobody waiting."""

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """What resources are read by; another object whenever the hospital has changed it."""

    mapping: Mapping


class Charts:
    """The charts of late.  For one event loop."""

    def __init__(self, settings: HookSettings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="charts")
        self._seen: Recent[Seen] = Recent(2 * MOST)
        self._charts: Kept[Chart | None] = Kept(MOST, self._readers)

    def close(self) -> None:
        """End the threads."""
        self._readers.shutdown(wait=False, cancel_futures=True)

    async def record(
        self, service: HookService, request: HookRequest, caller: Caller, table: Table
    ) -> tuple[str, Assembled | None]:
        """(key of the chart, the record of the call).  The same chart is read once.

        Raises `HookRefused`.
        """
        told, orders = request.context, drafts_of(request.context)
        of_call = digest(
            [list(service.prefetch), request.prefetch, told.patientId, told.encounterId]
        )
        # A chart comes with every call of a visit; it is looked into once.
        seen = self._seen.get(of_call)
        known = self._charts.known((seen.key, table)) if seen is not None else None
        if seen is not None and known is not None and not seen.has_any(orders):
            read: Chart | None = known
        else:
            seen, read = await self._looked_into(service, request, caller, table, orders, of_call)
        if read is None:
            return seen.key, None
        if not orders:
            return seen.key, assemble(read, (), (), told, table.mapping)
        products, chart = seen.products, read
        made = _readable(lambda: assemble(chart, products, orders, told, table.mapping))
        if len(orders) <= FEW_ORDERS:
            return seen.key, made()
        return seen.key, await asyncio.wrap_future(self._readers.submit(made))

    async def _looked_into(
        self,
        service: HookService,
        request: HookRequest,
        caller: Caller,
        table: Table,
        orders: Sequence[Resource],
        of_call: str,
    ) -> tuple[Seen, Chart | None]:
        """The chart of a call, with what is fetched of it."""
        told = request.context
        sent = sent_with(service, request)
        if sent.queries and request.fhirServer is not None and caller.is_to_take:
            # Before anybody is asked for its sake.
            await asyncio.to_thread(caller.take, self._store)
        resources = await gather(sent, request, self._settings, caller.fhir_servers)
        chart = without(resources, orders)
        key = digest([chart, told.patientId, told.encounterId])
        seen = Seen.of(key, chart)
        if not sent.queries and len(chart) == len(resources):
            self._seen.put(of_call, seen)
        work = _readable(lambda: read_chart(chart, told.patientId, told.encounterId, table.mapping))
        return seen, await _result(self._charts.of((key, table), work))


async def _result(future: Future[Value]) -> Value:
    """What a thread gives; at once where it is there already."""
    return future.result() if future.done() else await asyncio.wrap_future(future)


def _readable(work: Callable[[], Value]) -> Callable[[], Value]:
    """The work; what goes wrong with resources is told without a word of them."""

    def done() -> Value:
        try:
            return work()
        except HookRefused:
            raise
        except Exception as error:
            logger.error("the resources of a hook were not read: %s", type(error).__name__)
            raise DataMissing("资源无法读取。(The resources cannot be read.)") from error

    return done
