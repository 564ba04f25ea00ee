"""Notifications of a Subscription: what a FHIR server sends when something changed.

R4's rest-hook with a payload sends the resource itself (hl7.org/fhir/R4/subscription.html); R5's
backport to R4 sends a Bundle whose first entry is the status of the subscription, as a Parameters
resource (hl7.org/fhir/uv/subscriptions-backport).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
