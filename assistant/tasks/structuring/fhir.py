"""Structured notes as an HL7 FHIR R4 Bundle (hl7.org/fhir/R4).

Diagnoses that the patient has or had are Conditions; what is denied is an Observation with the
value false and never a Condition; what is only thought of, or somebody else's, is left out.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Sequence
from decimal import Decimal

from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.interop.fhir.terminology import (
    FLAG_CODES,
    ICD10,
    INTERPRETATION,
    UCUM,
    Resource,
    status_concept,
)
from assistant.tasks.structuring.calendar_date import is_after
from assistant.tasks.structuring.chronic import is_chronic
from assistant.tasks.structuring.entity import (
    Coding,
    Entity,
    Relation,
    StructuredNote,
    names_allergen,
)
from assistant.tasks.structuring.export import quantity
from assistant.tasks.structuring.patient import date_of
from assistant.tasks.structuring.span import EntityType
from knowledge.text.finding import Certainty, Experiencer, Polarity, Temporality
from knowledge.text.number import POWERS
from knowledge.text.units import ucum_code

_PATIENT = {"AllergyIntolerance": "patient"}
_NAMESPACE = uuid.UUID("6f1d6f0e-0d5f-5c7e-9a53-1c5f6f0b7a11")
_DECIMAL = re.compile(r"-?\d{1,12}(?:\.\d{1,8})?")
_PRESSURE = re.compile(r"(\d{2,3})/(\d{2,3})")
_RANGE = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")


def bundle(patient_id: str, notes: Sequence[StructuredNote]) -> Resource:
    """A Bundle of type ``collection``: the Patient, then what the notes say, in their order.

    The same notes give the same Bundle, ids included.
    """
    subject = _id("Patient", patient_id)
    resources = [
        {"resourceType": "Patient", "id": subject, "identifier": [{"value": patient_id}]},
        *(r for note in notes for r in _note_resources(note, patient_id, subject)),
    ]
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "meta": {"tag": [{"display": f"{DISCLAIMER_ZH} {DISCLAIMER_EN}"}]},
        "entry": [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources],
    }


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\0".join(parts)))


def _note_resources(note: StructuredNote, patient_id: str, subject: str) -> Iterator[Resource]:
    regimens = _regimens(note.relations)
    for entity in note.entities:
        own = entity.subject is Experiencer.PATIENT
        planned = entity.temporality is Temporality.HYPOTHETICAL
        if not own or (planned and entity.type is not EntityType.DRUG):
            continue
        if names_allergen(entity, note.entities):
            continue
        resource = _resource(entity, regimens.get(entity.id, []))
        if resource is None:
            continue
        date, dated = date_of(note, entity)
        if note.written_at and is_after(date, note.written_at.date()) and not planned:
            date = ""  # what a note says has happened was not after it
        kind = resource.pop("resourceType")
        yield {
            "resourceType": kind,
            "id": _id(patient_id, note.note_id, entity.id),
            _PATIENT.get(kind, "subject"): {"reference": f"urn:uuid:{subject}"},
            **resource,
            **_dated(entity, date, dated),
            "note": [{"text": f"{note.note_id} [{entity.start}, {entity.end}) {entity.text}"}],
        }


def _regimens(relations: Sequence[Relation]) -> dict[str, list[str]]:
    """How each drug is given, in the words of the note."""
    found: dict[str, list[str]] = {}
    for relation in relations:
        if (
            relation.predicate in ("剂量", "给药途径", "频次", "疗程", "条件")
            and relation.subject.entity
        ):
            found.setdefault(relation.subject.entity, []).append(relation.object.text)
    return found


def _resource(entity: Entity, regimen: list[str]) -> Resource | None:
    denied = entity.polarity is Polarity.ABSENT
    match entity.type:
        case EntityType.DISEASE if entity.allergen:
            return _allergy(entity)
        case EntityType.DISEASE if not denied:
            return _condition(entity)
        case EntityType.DISEASE | EntityType.SYMPTOM | EntityType.SIGN:
            return _finding(entity, not denied)
        case EntityType.TEST if entity.value and not denied:
            return _result(entity)
        case EntityType.PROCEDURE | EntityType.IMAGING:
            return {
                "resourceType": "Procedure",
                "status": "not-done" if denied else "completed",
                "code": _concept(entity),
            }
        case EntityType.DRUG if not entity.allergen:
            return _medication(entity, regimen)
        case EntityType.DRUG if not denied:
            return _allergy(entity)
    return None


def _concept(entity: Entity) -> Resource:
    codings = [_coding(c) for c in entity.codes if c.code]
    return {"text": entity.text, **({"coding": codings} if codings else {})}


def _coding(code: Coding) -> Resource:
    system = ICD10 if re.match(r"[A-Z]\d", code.code) else f"urn:bedside:{code.system}"
    return {"system": system, "code": code.code, "display": code.name}


def _condition(entity: Entity) -> Resource:
    # 病史10年 makes a chronic illness old, not over.
    past = entity.temporality is Temporality.PAST and (entity.over or not is_chronic(entity.text))
    doubted = entity.certainty is Certainty.UNCERTAIN
    return {
        "resourceType": "Condition",
        "clinicalStatus": status_concept("condition-clinical", "inactive" if past else "active"),
        "verificationStatus": status_concept(
            "condition-ver-status", "provisional" if doubted else "confirmed"
        ),
        "code": _concept(entity),
    }


def _allergy(entity: Entity) -> Resource:
    doubted = entity.certainty is Certainty.UNCERTAIN
    return {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": status_concept("allergyintolerance-clinical", "active"),
        "verificationStatus": status_concept(
            "allergyintolerance-verification", "unconfirmed" if doubted else "confirmed"
        ),
        **({"category": ["medication"]} if entity.type is EntityType.DRUG else {}),
        "code": _concept(entity),
    }


def _finding(entity: Entity, present: bool) -> Resource:
    doubted = entity.certainty is Certainty.UNCERTAIN
    # 神志清 holds: what is absent is the concept that it denies.
    words = entity.concept if entity.reassuring and entity.concept else entity.text
    return {
        "resourceType": "Observation",
        "status": "preliminary" if doubted else "final",
        "code": _concept(entity) | {"text": words},
        "valueBoolean": present,
    }


def _result(entity: Entity) -> Resource:
    resource: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": entity.concept or entity.text},
    }
    value, unit = entity.value or "", entity.unit or ""
    pressure = _PRESSURE.fullmatch(value)
    if pressure and unit == "mmHg":
        resource["component"] = [
            {"code": {"text": name}, "valueQuantity": _quantity(number, unit)}
            for name, number in zip(("收缩压", "舒张压"), pressure.groups(), strict=True)
        ]
    elif _DECIMAL.fullmatch(value):
        resource["valueQuantity"] = _quantity(value, unit)
        if entity.comparator:
            resource["valueQuantity"]["comparator"] = entity.comparator
    else:
        resource["valueString"] = quantity(entity)
    if entity.flag:
        code = FLAG_CODES[entity.flag]
        resource["interpretation"] = [{"coding": [{"system": INTERPRETATION, "code": code}]}]
    if entity.reference and (limits := _RANGE.fullmatch(entity.reference)):
        resource["referenceRange"] = [
            {"low": _quantity(limits[1], unit), "high": _quantity(limits[2], unit)}
        ]
    return resource


def _quantity(value: str, unit: str) -> Resource:
    # 1.2万/mm3 is 12,000 in UCUM.
    power = POWERS.get(unit[:1], 0)
    unit = unit[1:] if power else unit
    number = float(Decimal(value).scaleb(power))
    quantity: Resource = {"value": int(number) if number.is_integer() else number}
    if unit:
        quantity["unit"] = unit
    if code := ucum_code(unit):
        quantity |= {"system": UCUM, "code": code}
    return quantity


def _medication(entity: Entity, regimen: list[str]) -> Resource:
    status = "active"
    if entity.polarity is Polarity.ABSENT:
        status = "not-taken"
    elif entity.temporality is Temporality.HYPOTHETICAL:
        status = "intended"
    elif entity.temporality is Temporality.PAST:
        status = "completed"
    generic = entity.codes[0].name if entity.codes else ""
    concept: Resource = {"text": entity.text}
    if generic:
        concept["coding"] = [{"display": generic}]
    resource: Resource = {
        "resourceType": "MedicationStatement",
        "status": status,
        "medicationCodeableConcept": concept,
    }
    if regimen:
        resource["dosage"] = [{"text": " ".join(regimen)}]
    return resource


def _dated(entity: Entity, date: str, dated: bool) -> Resource:
    if not date:
        return {}
    if entity.allergen:
        return {"recordedDate": date}
    if entity.type in (EntityType.PROCEDURE, EntityType.IMAGING):
        # An operation of long ago was not done on the day of the note.
        past = entity.temporality is Temporality.PAST
        return {"performedDateTime": date} if dated or not past else {}
    if entity.type is EntityType.DISEASE and entity.polarity is Polarity.PRESENT:
        return {"onsetDateTime" if dated else "recordedDate": date}
    if entity.temporality is Temporality.PAST and not dated:
        # It was, and the note does not say when.
        return {}
    return {"effectiveDateTime": date}
