"""Notifications of a Subscription: what a FHIR server sends when something changed.

R4's rest-hook with a payload sends the resource itself (hl7.org/fhir/R4/subscription.html); R5's
backport to R4 sends a Bundle whose first entry is the status of the subscription, as a Parameters
resource (hl7.org/fhir/uv/subscriptions-backport).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from assistant.interop.arrival import ArrivalKind
from assistant.interop.fhir.moments import instant
from assistant.interop.fhir.reference import relative

BACKPORT_STATUS = "http://hl7.org/fhir/uv/subscriptions-backport"


class NotificationInvalid(ValueError):
    """It is no notification; the message says what to send."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What came: the resources, and what the subscription says of itself.

    ``kind`` is ``handshake``, ``heartbeat`` or ``event-notification``; ``focus`` are references to
    changed resources, of which a notification without payload has nothing else.
    """

    kind: str
    resources: list[dict[str, Any]]
    focus: list[str]


def notification(body: dict[str, Any]) -> Notification:
    """Read the body of a notification.  Raises `NotificationInvalid`."""
    kind = body.get("resourceType")
    if kind != "Bundle":
        if not isinstance(kind, str) or not kind:
            raise NotificationInvalid(
                "通知应为一个资源或 Bundle。(A notification is a resource or a Bundle.)"
            )
        return Notification("event-notification", [body], [])
    entries = body.get("entry")
    resources = [
        entry["resource"]
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    ]
    if resources and _is_status(resources[0]):
        status = resources[0]
        return Notification(
            _part(status, "type") or "event-notification", resources[1:], _focus(status)
        )
    return Notification("event-notification", resources, [])


def _is_status(resource: dict[str, Any]) -> bool:
    return resource.get("resourceType") in ("Parameters", "SubscriptionStatus")


def _parts(status: dict[str, Any], inside: str = "parameter") -> list[dict[str, Any]]:
    found = status.get(inside)
    return [p for p in found if isinstance(p, dict)] if isinstance(found, list) else []


def _part(status: dict[str, Any], name: str) -> str:
    if status.get("resourceType") == "SubscriptionStatus":
        value = status.get(name)
        return value if isinstance(value, str) else ""
    for part in _parts(status):
        if part.get("name") == name:
            value = part.get("valueCode", part.get("valueString"))
            return value if isinstance(value, str) else ""
    return ""


def _focus(status: dict[str, Any]) -> list[str]:
    """The references to what changed."""
    if status.get("resourceType") == "SubscriptionStatus":
        events = _parts(status, "notificationEvent")
        references = [event.get("focus") for event in events]
    else:
        events = [part for part in _parts(status) if part.get("name") == "notification-event"]
        references = [
            part.get("valueReference")
            for event in events
            for part in _parts(event, "part")
            if part.get("name") == "focus"
        ]
    found = [r.get("reference") for r in references if isinstance(r, dict)]
    return [reference for reference in found if isinstance(reference, str)]


_FINAL = frozenset({"final", "amended", "corrected", "appended"})
_NOTES = frozenset({"DocumentReference", "Composition"})
_RESULTS = frozenset({"Observation", "DiagnosticReport"})


def kind_of(resources: list[dict[str, Any]]) -> ArrivalKind:
    """The record event that resources are: the weightiest that any of them is."""
    kinds = {_event(resource) for resource in resources}
    order: tuple[ArrivalKind, ...] = (
        "encounter.discharge",
        "encounter.start",
        "result.final",
        "note.saved",
    )
    return next((kind for kind in order if kind in kinds), "encounter.changed")


def is_note(resource: dict[str, Any]) -> bool:
    """Whether a resource is a text of the record."""
    return resource.get("resourceType") in _NOTES


def _event(resource: dict[str, Any]) -> ArrivalKind:
    kind, status = resource.get("resourceType"), resource.get("status")
    if kind == "Encounter":
        if status == "finished":
            return "encounter.discharge"
        return "encounter.start" if status in ("arrived", "triaged") else "encounter.changed"
    if kind in _RESULTS and status in _FINAL:
        return "result.final"
    if kind in _NOTES and status in ("current", "final", "amended"):
        return "note.saved"
    return "encounter.changed"


@dataclass(frozen=True, slots=True)
class StayResources:
    """The resources of a notification that are of one patient's stay; ``encounter_id`` may be
    empty, as of an allergy."""

    patient_id: str
    encounter_id: str
    resources: list[dict[str, Any]]


def stays(resources: list[dict[str, Any]]) -> list[StayResources]:
    """The resources by whose they are; those that do not say it are in none.

    What others refer to (Medication, Practitioner, Binary …) goes with every stay.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    aside, patients = [], {}
    for resource in resources:
        kind = resource.get("resourceType")
        identifier = resource.get("id")
        if kind == "Patient" and isinstance(identifier, str):
            patients[identifier] = resource
            continue
        patient = _id(resource.get("subject") or resource.get("patient"), "Patient")
        if not patient:
            aside.append(resource)
            continue
        stay = identifier if kind == "Encounter" else _stay(resource)
        found.setdefault((patient, stay if isinstance(stay, str) else ""), []).append(resource)
    for identifier in patients:
        if not any(patient == identifier for patient, _ in found):
            found[identifier, ""] = []
    return [
        StayResources(
            patient, stay, [*([patients[patient]] if patient in patients else []), *mine, *aside]
        )
        for (patient, stay), mine in found.items()
    ]


def _stay(resource: dict[str, Any]) -> str:
    """The Encounter that a resource names."""
    context = resource.get("context")
    if isinstance(context, dict) and isinstance(context.get("encounter"), list):
        names = [_id(one, "Encounter") for one in context["encounter"]]
        return next((name for name in names if name), "")
    return _id(resource.get("encounter"), "Encounter") or _id(context, "Encounter")


def _id(reference: Any, kind: str) -> str:
    if not isinstance(reference, dict) or not isinstance(reference.get("reference"), str):
        return ""
    name = relative(reference["reference"])
    return name[1] if name is not None and name[0] == kind else ""


def changed_at(resources: list[dict[str, Any]]) -> datetime | None:
    """When the last of the resources was changed, as its server says (``meta.lastUpdated``)."""
    times = []
    for resource in resources:
        meta = resource.get("meta")
        text = meta.get("lastUpdated") if isinstance(meta, dict) else None
        found = instant(text) if isinstance(text, str) else None
        if found is not None and found.at is not None and found.at.tzinfo is not None:
            times.append(found.at)
    return max(times, default=None)
