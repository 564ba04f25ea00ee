"""Patient and Encounter."""

from __future__ import annotations

from datetime import date
from typing import Any

from pydantic import ValidationError

from assistant.interop.fhir.concept import words
from assistant.interop.fhir.element import Element
from assistant.interop.fhir.moments import moment
from assistant.interop.fhir.scope import Scope
from assistant.record.patient import Patient

_SEX = {"male": "male", "female": "female"}


def patient(scope: Scope) -> Patient:
    """The patient; only the id where no Patient of that id came."""
    element = scope.resources.find("Patient", scope.patient_id)
    if element is None:
        return Patient(id=scope.patient_id)
    if any(link.text("type") == "replaced-by" for link in element.children("link")):
        element.say(
            "warning",
            "replaced",
            "该患者档案已并入另一档案，请核对。(This Patient was replaced by another; check it.)",
        )
    values: dict[str, Any] = {
        "id": scope.patient_id,
        "name": _name(element),
        "sex": _SEX.get(element.text("gender")),
        "birth_date": _birth(element),
    }
    try:
        return Patient.model_validate(values)
    except ValidationError:
        element.say(
            "error", "value", "患者信息过长，只读取了 id。(Too long; only the id was read.)"
        )
        return Patient(id=scope.patient_id)


def _birth(element: Element) -> date | None:
    return moment(element, "birthDate").day


_ORDER = ("official", "usual", "")
_NOT_HIS = ("old", "maiden", "anonymous", "nickname")


def _name(element: Element) -> str:
    """The official name; a Chinese name from its parts has the family name first."""
    names = [n for n in element.children("name") if n.text("use") not in _NOT_HIS]
    names.sort(key=lambda n: _ORDER.index(n.text("use")) if n.text("use") in _ORDER else 9)
    for name in names:
        if text := name.text("text"):
            return text
        family, given = name.text("family"), name.texts("given")
        if family or given:
            whole = "".join((family, *given))
            return whole if not whole.isascii() else " ".join((*given, family)).strip()
    return ""


def stay(scope: Scope) -> dict[str, Any]:
    """Department, ward, bed and times of the Encounter; sets the scope's times."""
    element = scope.resources.find("Encounter", scope.encounter_id)
    if element is None:
        return {}
    if element.text("status") in ("entered-in-error", "cancelled"):
        element.say(
            "error",
            "status",
            "该就诊已取消或为录入错误，请核对。(This Encounter was cancelled or entered in error.)",
        )
    period = element.child("period")
    start, end = moment(period, "start"), moment(period, "end")
    if start.at and end.at:
        first, last = start.at.replace(tzinfo=None), end.at.replace(tzinfo=None)
        if last < first and not (end.dated and first.date() == last.date()):
            element.say(
                "error",
                "period",
                "出院时间早于入院时间，出院时间未读取。(The period ends before it starts.)",
            )
            end = moment(period, "")
    scope.start = start.at
    # The day of the discharge is part of the stay.
    scope.end = end.at.replace(hour=23, minute=59, second=59) if end.at else None
    ward, bed = _place(element, scope)
    return {
        "department": _department(element, scope),
        "ward": ward,
        "bed": bed,
        "admitted_at": start.at,
        "discharged_at": max(end.at, start.at) if end.dated and end.at and start.at else end.at,
    }


def _department(element: Element, scope: Scope) -> str:
    service = words(element.child("serviceType"), scope.mapping)
    return (service or element.child("serviceProvider").text("display"))[:500]


def _place(element: Element, scope: Scope) -> tuple[str, str]:
    """(ward, bed) of the last place that the patient is or was in."""
    ward = bed = ""
    for place in element.children("location"):
        if place.text("status") in ("reserved", "planned"):
            continue
        reference = place.child("location")
        target = scope.resources.target(reference, element)
        name = (target.text("name") if target else "") or reference.text("display")
        kind = words(place.child("physicalType"), scope.mapping)
        if target is not None and not kind:
            kind = words(target.child("physicalType"), scope.mapping)
        if kind in ("bd", "Bed", "床位", "床") or name.endswith("床"):
            bed = name
        elif name:
            ward = name
    return ward[:500], bed[:500]
