"""A call of a service → its cards.

The cards come from what is known at once: rules over the record, and drafts that are ready.  Long
work is begun by the event that the call is, and its card comes with the next hook.
"""

from __future__ import annotations

import asyncio
import collections.abc
import functools
import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from assistant.alerts.alert import Alert
from assistant.alerts.base import open_base
from assistant.alerts.engine import alerts_of
from assistant.alerts.rule import Rule, RulesInvalid, Sample, rules_of
from assistant.alerts.sample import encounter_of
from assistant.api.context import Services
from assistant.interop.events.desk import receive
from assistant.interop.events.event import RecordEvent
from assistant.interop.fhir.mapping import OWN_FILE, MappingInvalid, load
from assistant.interop.hooks.assembling import Assembled
from assistant.interop.hooks.batching import Batch
from assistant.interop.hooks.caller import Caller, used_twice
from assistant.interop.hooks.charts import Charts, Table
from assistant.interop.hooks.keeping import Kept
from assistant.interop.hooks.message import Card, CardsResponse, HookContext, HookRequest
from assistant.interop.hooks.note_process import NOTE_PROCESS
from assistant.interop.hooks.refusal import HookRefused
from assistant.interop.hooks.saved_notes import SavedNotes
from assistant.interop.hooks.service import HookService
from assistant.interop.hooks.showing import Call, shown_each
from assistant.interop.hooks.wire import digest
from assistant.record.encounter import Encounter
from assistant.store import Context
from assistant.work.task import load as load_place

logger = logging.getLogger("bedside.assistant.hooks")
ALERTS = 1024
"""Records whose alerts are kept."""

Rules = collections.abc.Mapping[str, Rule]
_NONE: Rules = {}


class Answering:
    """Answers the calls of all services; holds what was found of late.  For one event loop."""

    def __init__(self, parts: Services, *, makes_requests: bool = True) -> None:
        """``makes_requests``: this process has workers, and begins itself what an event wants."""
        self._parts = parts
        self._makes_requests = makes_requests
        # Of their own, so that a record that takes long keeps nobody from the store, and rules
        # that take long keep nobody from being read.
        self._charts = Charts(parts.settings.hooks, parts.store)
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="hooks")
        self._alerts: Kept[list[Alert]] = Kept(ALERTS, self._threads)
        self._saved = SavedNotes()
        self._table = Table(load())
        self._rules: Rules = _NONE
        self._generation = 0
        self._shown: Batch[Call, list[Card] | None] = Batch(lambda calls: shown_each(parts, calls))

    def close(self) -> None:
        """End the threads."""
        self._saved.close()
        self._charts.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def cards(
        self, service: HookService, request: HookRequest, caller: Caller, base: str
    ) -> CardsResponse:
        """The cards of a call.  Raises `HookRefused`."""
        told = request.context
        user = caller.user or told.user
        context = Context(user, "doctor", told.patientId, told.encounterId or "")
        self._look()
        until = asyncio.get_running_loop().time() + self._parts.settings.hooks.card_seconds
        try:
            chart, assembled = await self._charts.record(service, request, caller, self._table)
        except HookRefused as refused:
            await self._refused(context, service, caller, refused)
            raise
        if assembled is None:
            return await self._showing(Call(service, context, caller, base))
        context = Context(user, "doctor", told.patientId, assembled.encounter.id)
        found = self._found(service, chart, told, assembled)
        if service.event == "note.saved":
            # It takes the place of what waits of its stay: for no token that was used before.
            await self.take(caller)
        of_note = self._of_saved_note(service, assembled)
        alerts = await self._within(found, until)
        late: Sequence[Alert] = ()
        if of_note is not None:
            alerts = [*alerts, *await self._within(of_note, until)]
            if not of_note.done():
                self._saved.keep_late(_stay(assembled), of_note)
        elif service.moment in ("view", "note"):
            late = self._saved.late(_stay(assembled))
            alerts = [*alerts, *late]
        try:
            answer = await self._showing(Call(service, context, caller, base, alerts, assembled))
        except BaseException:
            self._saved.give_back(_stay(assembled), late)
            raise
        await self._happened(service, request, caller, context, assembled)
        return answer

    async def take(self, caller: Caller) -> None:
        """Note the use of the caller's token where that is not done yet.

        Raises `Unauthorized` where it was used before.
        """
        if caller.is_to_take:
            await asyncio.to_thread(caller.take, self._parts.store)

    async def _showing(self, call: Call) -> CardsResponse:
        shown = await self._shown.of(call)
        if shown is None:
            raise used_twice(call.caller)
        return CardsResponse(cards=shown)

    def _look(self) -> None:
        """Rules and mapping as they are now: a hospital may change them at any time, and what was
        found by others is not kept for these."""
        settings = self._parts.settings
        try:
            mapping = load(settings.home / OWN_FILE)
        except MappingInvalid as error:
            logger.error("%s", error)
            mapping = load()
        try:
            rules = rules_of(settings.home, settings.alerts.off)
        except RulesInvalid as error:
            logger.error("%s", error)
            rules = _NONE
        if mapping is not self._table.mapping or rules is not self._rules:
            self._table, self._rules = Table(mapping), rules
            self._generation += 1

    def _found(
        self, service: HookService, chart: str, told: HookContext, assembled: Assembled
    ) -> Future[list[Alert]]:
        """What the rules say, worked on in a thread; the same record is worked on once."""
        key = digest([chart, _about(told), service.moment, self._generation])
        rules = self._rules
        return self._alerts.of(key, lambda: self._alerts_of(service, assembled, rules))

    def _alerts_of(self, service: HookService, assembled: Assembled, rules: Rules) -> list[Alert]:
        drafts = assembled.orders if service.moment == "order" else {}
        if service.moment == "order" and not drafts:
            return []
        return alerts_of(
            assembled.encounter,
            rules,
            moment=service.moment,
            drafts=drafts,
            base=open_base(self._parts.resources),
            chart=assembled.chart,
        )

    def _of_saved_note(
        self, service: HookService, assembled: Assembled
    ) -> Future[list[Alert]] | None:
        """What the tasks say of a note that is saved; apart from the rules, which do not wait."""
        if service.event != "note.saved" or assembled.note is None:
            return None
        encounter, note_id = assembled.encounter, assembled.note.id
        work = functools.partial(self._said_of, encounter, note_id)
        return self._saved.ask(_stay(assembled), note_id, work)

    def warm(self) -> None:
        """Have the process of saved notes read what it needs."""
        self._said_of(encounter_of(Sample(note="一般情况可。")), "n1")

    def _said_of(self, encounter: Encounter, note_id: str) -> list[Alert]:
        """What every task says of the note that has something to say on saving."""
        places = [task.at_save for task in self._parts.tasks if task.at_save]
        if not places:
            return []
        known = self._with_sheets(encounter)
        return NOTE_PROCESS.ask(places, known, note_id, self._parts.settings.home)

    def _with_sheets(self, encounter: Encounter) -> Encounter:
        """The record with what tasks know of its patient, as a request gets it (`Task.joins`)."""
        context = Context("hooks", "system", encounter.patient.id, encounter.id)
        payload = sent = encounter.model_dump(mode="json")
        for task in self._parts.tasks:
            if task.joins:
                payload = load_place(task.joins)(payload, context, self._parts.store)
        return encounter if payload is sent else Encounter.model_validate(payload)

    async def _within(self, future: Future[list[Alert]], until: float) -> list[Alert]:
        """What is found within the time of a card; nothing where it takes longer."""
        if future.done():
            return future.result()
        waiting = asyncio.shield(asyncio.wrap_future(future))
        try:
            async with asyncio.timeout_at(until):
                return await waiting
        except TimeoutError:
            logger.warning("alerts took longer and come with the next hook")
            return []

    async def _happened(
        self,
        service: HookService,
        request: HookRequest,
        caller: Caller,
        context: Context,
        assembled: Assembled,
    ) -> None:
        """The call as an event of the record; what goes wrong with it takes no card away."""
        if not service.event:
            return
        try:
            event = RecordEvent.model_validate(
                {
                    "id": f"hook:{request.hookInstance}",
                    "type": service.event,
                    "encounter": assembled.encounter,
                    "note": assembled.note,
                }
            )
            await receive(
                self._parts, context, caller.application, event, at_once=self._makes_requests
            )
        except Exception as error:
            logger.error("the event of a hook was not kept: %s", type(error).__name__)

    async def _refused(
        self, context: Context, service: HookService, caller: Caller, refused: HookRefused
    ) -> None:
        """The audit of a call that got no cards."""
        await asyncio.to_thread(
            self._parts.store.audit.record,
            context,
            "hook.refused",
            f"app:{caller.application}"[:32],
            "",
            [service.id, type(refused).__name__],
        )


def _stay(assembled: Assembled) -> tuple[str, str]:
    return assembled.encounter.patient.id, assembled.encounter.id


def _about(told: HookContext) -> dict[str, Any]:
    """What a call says beside the chart; the same for whoever says it."""
    fields = {**told.__dict__, **(told.model_extra or {})}
    del fields["userId"]
    return fields
