"""Kept messages as record events: each handed on once its taker has kept it, and again if not."""

from __future__ import annotations

import logging
from typing import Any

from assistant.interop.arrival import Arrival, ArrivalKind, Taker
from assistant.interop.fhir.body import rewritten
from assistant.interop.fhir.incoming import read_resources
from assistant.interop.fhir.mapping import Mapping, load
from assistant.interop.fhir.notification import is_note, kind_of
from assistant.interop.hl7.documents import document
from assistant.interop.hl7.message import parse
from assistant.interop.hl7.results import identifier, is_final
from assistant.interop.hl7.stay import Stay
from assistant.interop.hl7.table import event_of
from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.store import Context, Store
from assistant.store.models.message import MessageRow

logger = logging.getLogger("bedside.assistant.interop")
_LATER_VISIT = ("ADT^A01", "ADT^A03", "ADT^A04", "ADT^A08", "ADT^A11", "ADT^A13")
READER = Context.operator("interop", "system")
FHIR = "FHIR"
"""The kind of messages that are FHIR resources; others are those of HL7 v2."""


def encounter_now(
    store: Store, context: Context, mapping: Mapping | None = None
) -> Encounter | None:
    """The context's stay as all kept messages have it; None where there are none.

    Where resources of FHIR came they are the record, since they say more than HL7 v2 does.
    """
    kept = store.messages.of_stay(context)
    if not kept:
        return None
    bundles = [rewritten(row.content) for row in kept if row.kind == FHIR]
    if bundles:
        return _newest(bundles, context, mapping or load())
    stay = Stay(context.patient_id, context.encounter_id, mapping or load())
    for row in kept:
        stay.take(parse(row.content))
    return stay.encounter()


def _newest(bundles: list[Any], context: Context, mapping: Mapping) -> Encounter:
    """The resources of all bundles, each as the last one has it."""
    found: dict[tuple[Any, Any], Any] = {}
    for bundle in bundles:
        for resource in bundle:
            key = (resource.get("resourceType"), resource.get("id"))
            found.pop(key, None)
            found[key] = resource
    resources = list(found.values())
    return read_resources(resources, context.patient_id, context.encounter_id, mapping).encounter


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
        kind=_kind(store, row),
        message_id=row.id,
        patient_id=row.patient_id,
        encounter_id=row.encounter_id,
        at=row.happened_at,
        source=row.sender,
        encounter=encounter,
        note=_note(row, encounter, mapping or load()),
    )


def _note(row: MessageRow, encounter: Encounter, mapping: Mapping) -> Note | None:
    """The note that a message saved, as the stay has it now."""
    if row.kind == FHIR:
        ids = [r.get("id") for r in rewritten(row.content) if is_note(r)]
    else:
        found = document(parse(row.content), mapping)
        ids = [identifier(found.key)] if found is not None else []
    notes = (encounter.note(one) for one in ids if isinstance(one, str))
    return next((note for note in notes if note is not None), None)


def _kind(store: Store, row: MessageRow) -> ArrivalKind:
    """The event; a start or end that later messages have overtaken is only a change."""
    if row.kind == FHIR:
        return kind_of(rewritten(row.content))
    message = parse(row.content)
    kind = event_of(row.kind)
    if kind in ("encounter.start", "encounter.discharge"):
        if store.messages.has_later(row, _LATER_VISIT):
            return "encounter.changed"
        return "encounter.start" if kind == "encounter.start" else "encounter.discharge"
    if kind == "result.final" and is_final(message):
        return "result.final"
    return "note.saved" if kind == "note.saved" else "encounter.changed"
