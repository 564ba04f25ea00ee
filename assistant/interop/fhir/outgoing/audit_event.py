"""Rows of the audit as AuditEvents: who did what, through which application."""

from __future__ import annotations

from datetime import datetime

from assistant.interop.fhir.outgoing.kept import instant
from assistant.interop.fhir.outgoing.label import URN
from assistant.interop.fhir.terminology import TERMINOLOGY, Resource
from assistant.store import AuditRow

_VERBS = {
    "add": "C", "submit": "C", "create": "C", "keep": "C",
    "read": "R", "list": "R", "verify": "R", "export": "R",
    "purge": "D", "revoke": "D", "cancel": "D",
    "accept": "U", "sign": "U", "confirmed": "U", "edited": "U", "deleted": "U", "restored": "U",
}  # fmt: skip
_TYPE = {
    "system": f"{TERMINOLOGY}/audit-event-type",
    "code": "rest",
    "display": "RESTful Operation",
}
_PATIENT_ROLE = {"system": f"{TERMINOLOGY}/object-role", "code": "1", "display": "Patient"}
_NOT_THERE = "-"


def audit_event(row: AuditRow, application: str = "") -> Resource:
    """One row.  Patients and contents are keyed hashes, as the audit keeps them.

    ``application`` is what the actor used, where the row's object still says it.
    """
    verb = row.action.rpartition(".")[2]
    refused = verb.endswith("_refused")
    made: Resource = {
        "resourceType": "AuditEvent",
        "id": str(row.seq),
        "type": dict(_TYPE),
        "subtype": [{"system": f"{URN}:audit-action", "code": row.action}],
        "action": _VERBS.get(verb.removesuffix("_refused"), "E"),
        "recorded": instant(datetime.fromisoformat(row.at)),
        "outcome": "4" if refused else "0",
        "agent": [_user(row), _application(application)],
        "source": {
            "observer": {
                "type": "Device",
                "identifier": {"system": f"{URN}:device", "value": "bedside"},
                "display": "Bedside",
            }
        },
        "entity": _entities(row),
    }
    return made


def _user(row: AuditRow) -> Resource:
    return {
        "role": [{"coding": [{"system": f"{URN}:role", "code": row.actor_role or _NOT_THERE}]}],
        "who": {"identifier": {"system": f"{URN}:actor", "value": row.actor_id}},
        "requestor": True,
    }


def _application(application: str) -> Resource:
    shown = application or "bedside"
    return {
        "type": {"coding": [{"system": f"{URN}:agent-type", "code": "application"}]},
        "who": {
            "type": "Device",
            "identifier": {"system": f"{URN}:application", "value": shown},
            "display": shown,
        },
        "requestor": False,
    }


def _entities(row: AuditRow) -> list[Resource]:
    """The object, and the patient that it is about."""
    found: list[Resource] = [
        {
            "what": {
                "identifier": {
                    "system": f"{URN}:{row.object_type or 'object'}",
                    "value": row.object_id or _NOT_THERE,
                }
            },
            "description": f"audit {row.seq} {row.hash}",
        }
    ]
    if row.patient_ref:
        found.append(
            {
                "what": {
                    "identifier": {"system": f"{URN}:patient-keyed-hash", "value": row.patient_ref}
                },
                "role": dict(_PATIENT_ROLE),
            }
        )
    return found
