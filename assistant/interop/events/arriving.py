"""Messages that arrived (HL7 v2, FHIR notifications) become record events, each once."""

from __future__ import annotations

import logging
from functools import cache
from typing import get_args

from pydantic import ValidationError

from assistant.interop.arrival import Arrival
from assistant.interop.events.event import EventType, RecordEvent
from assistant.interop.events.planning import plans
from assistant.interop.events.rule import event_rules
from assistant.settings import Settings
from assistant.store import Context, IdempotencyConflict, InvalidArgument, Store
from assistant.work.registry import Registry, installed

logger = logging.getLogger("bedside.assistant.events")
APPLICATION = "message"
"""The application of these events.  Their ids are the store's own ids of messages, so a listener
and a server that hand on the same message keep one event."""

_tasks = cache(installed)
_built: set[str] = set()


def arrive(
    arrival: Arrival, *, settings: Settings, store: Store, tasks: Registry | None = None
) -> None:
    """Keep an arrival as a record event with the work that the rules want; on the disk when this
    returns.

    The work waits in the store for a server, as the process that takes messages has no workers.
    What no rule can be about (a mere change, a record that no task takes) is left.

    Raises `EventRulesInvalid` and errors of the store: the arrival is then handed on again.
    """
    if arrival.kind not in get_args(EventType):
        return
    try:
        event = RecordEvent.model_validate(
            {
                "id": arrival.message_id,
                "type": arrival.kind,
                "encounter": arrival.encounter,
                "note": arrival.note,
            }
        )
        context = Context("interop", "system", arrival.patient_id, arrival.encounter_id)
        _keep(event, context, settings, store, tasks if tasks is not None else _tasks())
    except IdempotencyConflict:
        # It was kept before a kill, and the stay has grown since: what grew has its own event.
        return
    except (InvalidArgument, ValidationError) as error:
        logger.error("message %s is no event: %s", arrival.message_id, type(error).__name__)


def _keep(
    event: RecordEvent, context: Context, settings: Settings, store: Store, tasks: Registry
) -> None:
    wanted, skipped = plans(
        event,
        event_rules(settings.home),
        tasks,
        settings,
        store.database.clock(),
        has_knowledge=_has_knowledge(settings),
    )
    for one in skipped:
        logger.warning("event %s begins no %s (rule %s)", event.id, one.kind, one.rule)
    store.record_events.receive(
        context,
        APPLICATION,
        event.id,
        event.type,
        event.encounter.record_hash(),
        wanted,
        at_once=False,
    )


def _has_knowledge(settings: Settings) -> bool:
    """Whether a base is built; asked of the disk until it is."""
    from knowledge.base import KnowledgeBase

    folder = settings.knowledge_folder
    if str(folder) not in _built and KnowledgeBase.is_built(folder):
        _built.add(str(folder))
    return str(folder) in _built
