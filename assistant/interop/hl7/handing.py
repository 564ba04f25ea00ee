"""Kept messages as record events: each handed on once its taker has kept it, and again if not."""

from __future__ import annotations

import logging

from assistant.interop.arrival import Arrival, ArrivalKind, Taker
from assistant.interop.fhir.mapping import Mapping, load
from assistant.interop.hl7.message import Message, parse
from assistant.interop.hl7.results import is_final
from assistant.interop.hl7.stay import Stay
from assistant.interop.hl7.table import event_of
from assistant.record.encounter import Encounter
from assistant.store import Context, Store
from assistant.store.models import MessageRow

logger = logging.getLogger("bedside.assistant.interop.hl7")
_LATER_VISIT = ("ADT^A01", "ADT^A03", "ADT^A04", "ADT^A08", "ADT^A11", "ADT^A13")
READER = Context.operator("hl7", "system")


def encounter_now(
    store: Store, context: Context, mapping: Mapping | None = None
) -> Encounter | None:
    """The context's stay as all kept messages have it; None where there are none."""
    kept = store.messages.of_stay(context)
    if not kept:
        return None
    stay = Stay(context.patient_id, context.encounter_id, mapping or load())
    for row in kept:
        stay.take(parse(row.content))
    return stay.encounter()


def hand_on(store: Store, taker: Taker | None, mapping: Mapping | None = None) -> int:
    """Hand the waiting messages on, oldest first: how many were.

    Without a taker they are only noted, so that a taker that comes later is not flooded with old
    ones.  A taker that fails gets the message again at the next call; the others go on.
    """
    done = 0
    for row in store.messages.waiting():
        try:
            if taker is not None and row.encounter_id:
                arrival = _arrival(store, row, mapping)
                if arrival is not None:
                    taker(arrival)
            store.messages.hand_on(row.id)
            done += 1
        except Exception as error:
            logger.error("message %s was not handed on: %s", row.id, type(error).__name__)
    return done


def _arrival(store: Store, row: MessageRow, mapping: Mapping | None) -> Arrival | None:
    context = Context(READER.actor_id, READER.actor_role, row.patient_id, row.encounter_id)
    encounter = encounter_now(store, context, mapping)
    if encounter is None:
        return None
    return Arrival(
        kind=_kind(store, row, parse(row.content)),
        message_id=row.id,
        patient_id=row.patient_id,
        encounter_id=row.encounter_id,
        at=row.happened_at,
        source=row.sender,
        encounter=encounter,
    )


def _kind(store: Store, row: MessageRow, message: Message) -> ArrivalKind:
    """The event; a start or end that later messages have overtaken is only a change."""
    kind = event_of(row.kind)
    if kind in ("encounter.start", "encounter.discharge"):
        if store.messages.has_later(row, _LATER_VISIT):
            return "encounter.changed"
        return "encounter.start" if kind == "encounter.start" else "encounter.discharge"
    if kind == "result.final" and is_final(message):
        return "result.final"
    return "note.saved" if kind == "note.saved" else "encounter.changed"
