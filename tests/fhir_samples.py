"""A small hospital's FHIR R4 resources, made for tests."""

from __future__ import annotations

import base64
from typing import Any

Resource = dict[str, Any]
LOINC = "http://loinc.org"
PATIENT = {"reference": "Patient/p1"}
STAY = {"reference": "Encounter/e1"}
BASE = "https://his.example/fhir"


def patient(identifier: str = "p1", **more: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": identifier,
        "name": [{"use": "official", "text": "测试甲"}],
        "gender": "female",
        "birthDate": "1970-02-03",
        **more,
    }


def stay(identifier: str = "e1", **more: Any) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": identifier,
        "status": "in-progress",
        "class": {"code": "IMP"},
        "subject": PATIENT,
        "period": {"start": "2026-03-05T08:00:00+08:00"},
        "serviceType": {"text": "呼吸内科"},
        "location": [
            {"location": {"display": "呼吸二病区"}},
            {"location": {"display": "12床"}},
        ],
        **more,
    }


def coded(text: str = "", code: str = "", system: str = LOINC) -> Resource:
    found: Resource = {"text": text} if text else {}
    if code:
        found["coding"] = [{"system": system, "code": code}]
    return found


def status_of(system: str, code: str) -> Resource:
    return coded("", code, f"http://terminology.hl7.org/CodeSystem/{system}")


def observation(identifier: str = "o1", **more: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": identifier,
        "status": "final",
        "code": coded("", "6690-2"),
        "subject": PATIENT,
        "encounter": STAY,
        "effectiveDateTime": "2026-03-05T01:30:00Z",
        "valueQuantity": {"value": 13.2, "unit": "10*9/L", "code": "10*9/L"},
        **more,
    }


def condition(identifier: str = "c1", name: str = "肺炎", **more: Any) -> Resource:
    return {
        "resourceType": "Condition",
        "id": identifier,
        "clinicalStatus": status_of("condition-clinical", "active"),
        "verificationStatus": status_of("condition-ver-status", "confirmed"),
        "code": {
            "text": name,
            "coding": [{"system": "urn:oid:2.16.156.10011.2.3.3.11", "code": "J18.900"}],
        },
        "subject": PATIENT,
        "encounter": STAY,
        **more,
    }


def allergy(identifier: str = "a1", name: str = "青霉素", **more: Any) -> Resource:
    return {
        "resourceType": "AllergyIntolerance",
        "id": identifier,
        "clinicalStatus": status_of("allergyintolerance-clinical", "active"),
        "verificationStatus": status_of("allergyintolerance-verification", "confirmed"),
        "category": ["medication"],
        "code": {"text": name},
        "patient": PATIENT,
        **more,
    }


def request(identifier: str = "m1", **more: Any) -> Resource:
    return {
        "resourceType": "MedicationRequest",
        "id": identifier,
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": {"text": "头孢曲松钠"},
        "subject": PATIENT,
        "encounter": STAY,
        "authoredOn": "2026-03-05T09:00:00+08:00",
        "dosageInstruction": [
            {
                "route": coded("", "34206005", "http://snomed.info/sct"),
                "timing": {"repeat": {"frequency": 1, "period": 12, "periodUnit": "h"}},
                "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "g"}}],
            }
        ],
        **more,
    }


def document(identifier: str = "d1", text: str = "主诉：咳嗽3天。", **more: Any) -> Resource:
    return {
        "resourceType": "DocumentReference",
        "id": identifier,
        "status": "current",
        "description": "入院记录",
        "subject": PATIENT,
        "context": {"encounter": [STAY]},
        "date": "2026-03-05T10:00:00+08:00",
        "author": [{"display": "测试医师"}],
        "content": [{"attachment": attachment(text.encode())}],
        **more,
    }


def attachment(data: bytes, media_type: str = "text/plain") -> Resource:
    return {"contentType": media_type, "data": base64.b64encode(data).decode()}


def bundle(*resources: Resource) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [
            {"fullUrl": f"{BASE}/{r['resourceType']}/{r['id']}", "resource": r}
            if isinstance(r, dict)
            else r
            for r in resources
        ],
    }
