"""Resources for tests of hooks, and a small reader of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from assistant.record.encounter import Encounter


def encounter_from_bundle(
    resources: Sequence[dict[str, Any]], patient_id: str, encounter_id: str
) -> Encounter:
    """Only what these tests send: names and texts."""

    def of(kind: str) -> list[dict[str, Any]]:
        return [r for r in resources if r["resourceType"] == kind]

    patient = next(p for p in of("Patient") if p["id"] == patient_id)
    stays = of("Encounter")
    if not encounter_id and len(stays) != 1:
        raise ValueError("no stay")
    notes = [
        {"id": d["id"], "kind": "first_progress", "text": d["description"]}
        for d in of("DocumentReference")
    ]
    return Encounter.model_validate(
        {
            "id": encounter_id or stays[0]["id"],
            "patient": {"id": patient["id"], "sex": patient.get("gender"), "age_years": 70},
            "notes": notes,
            "diagnoses": [{"name": c["code"]["text"]} for c in of("Condition")],
            "medications": [
                {"id": m["id"], "name": m["medicationCodeableConcept"]["text"]}
                for m in of("MedicationRequest")
            ],
            "observations": [
                {
                    "id": o["id"],
                    "name": o["code"]["text"],
                    "value": str(o["valueQuantity"]["value"]),
                    "unit": o["valueQuantity"]["unit"],
                }
                for o in of("Observation")
            ],
        }
    )


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
    return about("MedicationRequest", key, patient, status=status, medicationCodeableConcept=text)


def patient(key: str = "pat-1") -> dict[str, Any]:
    """A patient."""
    return {"resourceType": "Patient", "id": key, "gender": "male"}


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
        "documents": bundle(about("DocumentReference", "n1", description=note)),
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
