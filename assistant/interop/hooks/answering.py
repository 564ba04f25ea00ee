"""A call of a service → its cards.

The cards come from what is known at once: rules over the record, and drafts that are ready.  Long
work is begun by the event that the call is, and its card comes with the next hook.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from assistant.alerts.alert import Alert
from assistant.alerts.engine import alerts_of
from assistant.alerts.policy import as_card, to_show
from assistant.alerts.rule import RulesInvalid, rules_of
from assistant.api.context import Services
from assistant.interop.events.desk import receive
from assistant.interop.events.event import RecordEvent
from assistant.interop.hooks.assembling import Assembled, assemble
from assistant.interop.hooks.caller import Caller
from assistant.interop.hooks.fetching import Resource
from assistant.interop.hooks.gathering import gather
from assistant.interop.hooks.making import alert_card, draft_cards, suggestions_of
from assistant.interop.hooks.message import Card, CardsResponse, HookContext, HookRequest
from assistant.interop.hooks.refusal import DataMissing, HookRefused
from assistant.interop.hooks.service import HookService
from assistant.store import Context

logger = logging.getLogger("bedside.assistant.hooks")
KEPT = 256
"""Records whose alerts are kept: a chart is opened, an order selected and signed within minutes."""

Known = tuple[Assembled | None, list[Alert]]


class Answering:
    """Answers the calls of all services; holds what was found of late."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts
        self._known: OrderedDict[str, Future[Known]] = OrderedDict()
        # Of its own, so that a record that takes long keeps nobody from the store.
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="hooks")

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def cards(
        self, service: HookService, request: HookRequest, caller: Caller, base: str
    ) -> CardsResponse:
        """The cards of a call.  Raises `HookRefused`."""
        told = request.context
        user = caller.user or told.user
        context = Context(user, "doctor", told.patientId, told.encounterId or "")
        settings = self._parts.settings.hooks
        try:
            resources = await gather(service, request, settings, caller.fhir_servers)
            found = self._found(service, resources, told)
            known = await self._within(found)
        except HookRefused as refused:
            await self._refused(context, service, caller, refused)
            raise
        assembled, alerts = known if known is not None else (None, [])
        if assembled is None:
            cards = await asyncio.to_thread(self._shown, service, context, caller, base, [], None)
            return CardsResponse(cards=cards)
        context = Context(user, "doctor", told.patientId, assembled.encounter.id)
        cards = await asyncio.to_thread(
            self._shown, service, context, caller, base, alerts, assembled
        )
        await self._happened(service, request, caller, context, assembled)
        return CardsResponse(cards=cards)

    def _found(
        self, service: HookService, resources: Sequence[Resource], context: HookContext
    ) -> Future[Known]:
        """What the rules say, worked on in a thread; the same record is worked on once."""
        rules = json.dumps([str(self._parts.settings.home), self._parts.settings.alerts.off])
        text = json.dumps(
            [resources, context.model_dump(), service.moment, rules],
            ensure_ascii=False,
            sort_keys=True,
        )
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        future = self._known.pop(key, None)
        if future is None or (future.done() and future.exception() is not None):
            future = self._threads.submit(self._work, service, list(resources), context)
        self._known[key] = future
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return future

    def _work(self, service: HookService, resources: list[Resource], context: HookContext) -> Known:
        try:
            assembled = assemble(resources, context)
        except HookRefused:
            raise
        except Exception as error:
            logger.error("the resources of a hook were not read: %s", type(error).__name__)
            raise DataMissing("资源无法读取。(The resources cannot be read.)") from error
        if assembled is None:
            return None, []
        settings = self._parts.settings
        try:
            rules = rules_of(settings.home, settings.alerts.off)
        except RulesInvalid as error:
            logger.error("%s", error)
            return assembled, []
        drafts = assembled.orders if service.moment == "order" else {}
        if service.moment == "order" and not drafts:
            return assembled, []
        return assembled, alerts_of(
            assembled.encounter, rules, moment=service.moment, drafts=drafts
        )

    async def _within(self, future: Future[Known]) -> Known | None:
        """What is found within the time of a card; None where it takes longer."""
        seconds = self._parts.settings.hooks.card_seconds
        waiting = asyncio.shield(asyncio.wrap_future(future))
        try:
            async with asyncio.timeout(seconds):
                return await waiting
        except TimeoutError:
            logger.warning("alerts took longer than %.1f s and come with the next hook", seconds)
            return None

    def _shown(
        self,
        service: HookService,
        context: Context,
        caller: Caller,
        base: str,
        alerts: Sequence[Alert],
        assembled: Assembled | None,
    ) -> list[Card]:
        """The cards, kept as shown in one transaction with the audit of the call."""
        parts = self._parts
        store = parts.store
        orders = assembled.orders if assembled is not None else {}
        overridden = store.cards.overridden(context) if alerts else set()
        chosen = to_show(alerts, overridden, parts.settings.alerts.most_interruptive)
        offered = [suggestions_of(alert, orders) for alert in chosen]
        ready = store.drafts.ready(context, service.draft_kinds)
        told = draft_cards(ready, parts.tasks, base, parts.settings.hooks.smart_url)
        new = [
            replace(as_card(alert), suggestions={one.uuid: one.label for one in of_alert})
            for alert, of_alert in zip(chosen, offered, strict=True)
        ]
        new += [card for card, _ in told]
        ids = store.cards.show(
            context, service.id, caller.application, new, f"hook.{service.hook}"[:64]
        )
        made = [
            alert_card(card_id, alert, suggestions)
            for card_id, alert, suggestions in zip(ids, chosen, offered, strict=False)
        ]
        behind = ids[len(chosen) :]
        made += [
            card.model_copy(update={"uuid": card_id})
            for card_id, (_, card) in zip(behind, told, strict=True)
        ]
        return made

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
            await receive(self._parts, context, caller.application, event)
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
