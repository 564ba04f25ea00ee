"""A sample encounter → FHIR R4 resources, as a hospital's server keeps them."""

from __future__ import annotations

import base64
import re
from datetime import date, datetime
from typing import Any

from assistant.record.encounter import Encounter
from assistant.record.fields import ZONE
from assistant.record.medication import Medication
from assistant.record.note import Note
from assistant.record.observation import Observation

Resource = dict[str, Any]
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
_DOSE = re.compile(r"(\d+(?:\.\d+)?)([^\d\s]+)")
_FLAGS = {"high": "H", "low": "L", "normal": "N", "abnormal": "A"}


def resources_of(encounter: Encounter) -> list[Resource]:
    """Patient, Encounter, Condition, Observation, MedicationRequest, DocumentReference."""
    made = [_patient(encounter), _stay(encounter), *_conditions(encounter)]
    made += [_observation(encounter, row) for row in encounter.observations]
    made += [_medication(encounter, row) for row in encounter.medications]
    made += [document(encounter, note) for note in encounter.notes]
    made += [_procedure(encounter, number) for number in range(len(encounter.operations))]
    return made


def order(patient_id: str, encounter_id: str, order_id: str, name: str) -> Resource:
    """A draft order of a drug, as order-sign sends it."""
    return {
        "resourceType": "MedicationRequest",
        "id": order_id,
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "subject": {"reference": f"Patient/{patient_id}"},
        "encounter": {"reference": f"Encounter/{encounter_id}"},
    }


def document(encounter: Encounter, note: Note) -> Resource:
    """A note as a document."""
    title = note.title or note.kind
    return _about(
        encounter,
        "DocumentReference",
        note.id,
        status="current",
        docStatus="final",
        type={"text": title},
        description=title,
        author=[{"display": note.author}] if note.author else None,
        date=_time(note.written_at),
        context={"encounter": [{"reference": f"Encounter/{encounter.id}"}]},
        content=[
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "title": title,
                    "data": base64.b64encode(note.text.encode()).decode(),
                }
            }
        ],
    )


def _patient(encounter: Encounter) -> Resource:
    patient = encounter.patient
    return _bare(
        resourceType="Patient",
        id=patient.id,
        name=[{"use": "official", "text": patient.name}] if patient.name else None,
        gender=patient.sex,
        birthDate=patient.birth_date.isoformat() if patient.birth_date else None,
    )


def _stay(encounter: Encounter) -> Resource:
    places = [{"location": {"display": p}} for p in (encounter.ward, encounter.bed) if p]
    listed = []
    for number, row in enumerate(encounter.diagnoses):
        use = "DD" if row.kind == "discharge" else "AD"
        entry: Resource = {
            "condition": {"reference": f"Condition/{_id(encounter, f'c{number}')}"},
            "use": {"coding": [{"system": f"{_TERMINOLOGY}/diagnosis-role", "code": use}]},
        }
        if row.primary:
            entry["rank"] = 1
        listed.append(entry)
    period = _bare(start=_time(encounter.admitted_at), end=_time(encounter.discharged_at))
    code = {"system": f"{_TERMINOLOGY}/v3-ActCode", "code": "IMP"}
    return _bare(
        **{"class": code},
        resourceType="Encounter",
        id=encounter.id,
        status="in-progress",
        subject={"reference": f"Patient/{encounter.patient.id}"},
        period=period or None,
        serviceType={"text": encounter.department} if encounter.department else None,
        location=places or None,
        diagnosis=listed or None,
    )


def _conditions(encounter: Encounter) -> list[Resource]:
    made = []
    for number, row in enumerate(encounter.diagnoses):
        code: Resource = {"text": row.name}
        if row.icd10:
            code["coding"] = [{"system": "http://hl7.org/fhir/sid/icd-10", "code": row.icd10}]
        made.append(
            _about(
                encounter,
                "Condition",
                f"c{number}",
                clinicalStatus=_coded("condition-clinical", "active"),
                verificationStatus=_coded("condition-ver-status", "confirmed"),
                code=code,
                encounter={"reference": f"Encounter/{encounter.id}"},
            )
        )
    return made


def _observation(encounter: Encounter, row: Observation) -> Resource:
    value: Resource = {}
    if row.status == "final" and row.value:
        number = _number(row.value)
        if number is None:
            value["valueString"] = " ".join(p for p in (row.value, row.unit) if p)
        else:
            value["valueQuantity"] = _bare(value=number, unit=row.unit or None)
    flag = _FLAGS.get(row.flag or "")
    return _about(
        encounter,
        "Observation",
        row.id,
        status="final" if row.status == "final" else "registered",
        code={"text": row.name},
        encounter={"reference": f"Encounter/{encounter.id}"},
        effectiveDateTime=_time(row.at),
        referenceRange=[{"text": row.reference}] if row.reference else None,
        interpretation=[_coded("v3-ObservationInterpretation", flag)] if flag else None,
        **value,
    )


def _medication(encounter: Encounter, row: Medication) -> Resource:
    words = " ".join(p for p in (row.dose, row.route, row.frequency) if p)
    category = _coded("medicationrequest-category", "discharge" if row.discharge else "inpatient")
    start, stop = _day(row.start), _day(row.stop)
    period = _bare(start=start, end=stop)
    timing: Resource = {"code": {"text": row.frequency}} if row.frequency else {}
    if period:
        timing["repeat"] = {"boundsPeriod": period}
    dose = _DOSE.fullmatch(row.dose)
    if dose and _number(dose[1]) is None:
        dose = None
    dosage = _bare(
        # Where it can be told in parts, a text would stand in their place.
        text=None if dose or not words else words,
        doseAndRate=_rate(dose[1], dose[2]) if dose else None,
        route={"text": row.route} if row.route else None,
        timing=timing or None,
    )
    return _about(
        encounter,
        "MedicationRequest",
        row.id,
        status="active",
        intent="order",
        category=[category],
        medicationCodeableConcept={"text": f"{row.name} {row.specification}".strip()},
        encounter={"reference": f"Encounter/{encounter.id}"},
        dosageInstruction=[dosage] if dosage else None,
    )


def _rate(number: str, unit: str) -> list[Resource]:
    return [{"doseQuantity": {"value": _number(number), "unit": unit}}]


def _number(text: str) -> int | float | None:
    """The number whose digits are exactly ``text``; None for other words, and for 1.20, whose last
    digit a number loses."""
    try:
        number = int(text) if text.isdecimal() else float(text)
    except ValueError:
        return None
    return number if str(number) == text else None


def _procedure(encounter: Encounter, number: int) -> Resource:
    row = encounter.operations[number]
    return _about(
        encounter,
        "Procedure",
        row.id,
        status="completed",
        code={"text": row.name},
        encounter={"reference": f"Encounter/{encounter.id}"},
        performedDateTime=_time(row.at),
    )


def _about(stay: Encounter, kind: str, row_id: str, /, **fields: Any) -> Resource:
    subject = {"reference": f"Patient/{stay.patient.id}"}
    return _bare(resourceType=kind, id=_id(stay, row_id), subject=subject, **fields)


def _id(encounter: Encounter, row_id: str) -> str:
    """Rows of a stay have short ids; those of a server are its own for each."""
    return f"{encounter.id}-{row_id}".replace("_", "-").replace(":", "-")[-64:]


def _coded(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"{_TERMINOLOGY}/{system}", "code": code}]}


def _bare(**fields: Any) -> Resource:
    """Without what is not there: FHIR has no empty values."""
    return {name: value for name, value in fields.items() if value is not None}


def _time(value: datetime | None) -> str | None:
    return value.replace(tzinfo=value.tzinfo or ZONE).isoformat() if value else None


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None
