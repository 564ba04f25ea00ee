"""FHIR resources for tests of hooks."""

from __future__ import annotations

import base64
import json
from typing import Any


def bundle(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A searchset."""
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}


def about(kind: str, key: str, patient: str = "pat-1", **fields: Any) -> dict[str, Any]:
    """A resource of a patient."""
    return {
        "resourceType": kind,
        "id": key,
        "subject": {"reference": f"Patient/{patient}"},
        **fields,
    }


def drug(key: str, name: str, patient: str = "pat-1", status: str = "active") -> dict[str, Any]:
    """An order of a drug."""
    text = {"text": name}
    return about(
        "MedicationRequest",
        key,
        patient,
        status=status,
        intent="order",
        medicationCodeableConcept=text,
    )


def patient(key: str = "pat-1") -> dict[str, Any]:
    """A patient."""
    return {"resourceType": "Patient", "id": key, "gender": "male", "birthDate": "1956-01-01"}


def document(key: str, note: str, patient: str = "pat-1") -> dict[str, Any]:
    """A first progress note."""
    data = base64.b64encode(note.encode()).decode()
    content = [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}]
    kind = {"text": "首次病程记录"}
    return about("DocumentReference", key, patient, status="current", type=kind, content=content)


def prefetch(note: str = "既往史：青霉素过敏（皮疹）。", *drugs: str) -> dict[str, Any]:
    """All that a service asks for."""
    rows = [drug(f"m{n}", name) for n, name in enumerate(drugs)]
    stay = about("Encounter", "enc-1", status="in-progress")
    return {
        "patient": patient(),
        "encounter": stay,
        "encounters": bundle(stay),
        "conditions": bundle(),
        "allergies": bundle(),
        "medications": bundle(*rows),
        "observations": bundle(),
        "documents": bundle(document("n1", note)),
    }


def call(hook: str, sent: dict[str, Any] | None = None, **context: Any) -> dict[str, Any]:
    """A call of a service; a context value of None is left out."""
    told = {"userId": "Practitioner/doc-1", "patientId": "pat-1", "encounterId": "enc-1"}
    told |= context
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {key: value for key, value in told.items() if value is not None},
        "prefetch": prefetch() if sent is None else sent,
    }


def copied(value: Any) -> Any:
    """A deep copy, as it goes over the wire."""
    return json.loads(json.dumps(value))
