"""FHIR R4 resources → one encounter of the record, and what of them is no part of it.

A resource becomes a fact only where its status says that it is one: what was entered in error,
refuted, not done, not taken, cancelled or only planned is left out and named.  Resources of another
patient, or of nobody, are left out and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from assistant.interop.fhir.element import Element
from assistant.interop.fhir.mapping import Mapping, load
from assistant.interop.fhir.problem import Problem, Problems
from assistant.interop.fhir.reading.allergies import allergy_line, is_none
from assistant.interop.fhir.reading.conditions import conditions, roles
from assistant.interop.fhir.reading.documents import composition, document, report
from assistant.interop.fhir.reading.medications import (
    Given,
    administration,
    administrations,
    requests,
    statement_line,
)
from assistant.interop.fhir.reading.observations import observations
from assistant.interop.fhir.reading.patients import patient, stay
from assistant.interop.fhir.reading.procedures import operation, order
from assistant.interop.fhir.reference import Resources
from assistant.interop.fhir.scope import Scope, joined_note
from assistant.record.diagnosis import Diagnosis
from assistant.record.encounter import Encounter
from assistant.record.medication import Medication
from assistant.record.note import Note
from assistant.record.observation import Observation
from assistant.record.operation import Operation
from assistant.record.order import Order

RowT = TypeVar("RowT")

_SUBJECT = {
    "Condition": "subject",
    "Observation": "subject",
    "MedicationRequest": "subject",
    "MedicationAdministration": "subject",
    "MedicationStatement": "subject",
    "AllergyIntolerance": "patient",
    "Procedure": "subject",
    "DiagnosticReport": "subject",
    "DocumentReference": "subject",
    "Composition": "subject",
    "ServiceRequest": "subject",
    "Encounter": "subject",
}
"""What is read, and the field that says whose it is."""

_ASIDE = frozenset(
    {
        "Patient", "Practitioner", "PractitionerRole", "Organization", "Location", "Medication",
        "Binary", "Device", "Provenance", "OperationOutcome", "Specimen",
    }
)  # fmt: skip
"""What others refer to, and what needs no mention."""


class Incoming(BaseModel):
    """What was read."""

    encounter: Encounter
    problems: list[Problem] = Field(default_factory=list)


class IncomingRefused(ValueError):
    """No record can be made of it; the message says why and what to do."""


def encounter_from_bundle(
    resources: Sequence[dict[str, Any]], patient_id: str, encounter_id: str
) -> Encounter:
    """One patient's resources as the `Encounter` of one stay.

    ``resources``: FHIR R4 resources as JSON objects; Bundles and entries of Bundles
    (``{"fullUrl": …, "resource": {…}}``) among them are taken apart.  ``patient_id`` and
    ``encounter_id`` are the logical ids of the FHIR server, without ``Patient/``; an empty
    ``encounter_id`` takes the only Encounter that came.  What belongs to another patient,
    is no fact by its status, or cannot be read is left out; `read_resources` says what and why.

    Raises `IncomingRefused` (a `ValueError`) for ids that a record cannot have, and where the stay
    is not named and not exactly one came.
    """
    return read_resources(resources, patient_id, encounter_id).encounter


def read_resources(
    resources: Iterable[Any],
    patient_id: str,
    encounter_id: str = "",
    mapping: Mapping | None = None,
) -> Incoming:
    """The same with a list of what was left out or could not be read.

    Without ``patient_id`` it is the only Patient that came; without ``encounter_id`` the only
    Encounter.  Raises `IncomingRefused` where that is not one.
    """
    problems = Problems()
    found = Resources(resources, problems)
    scope = Scope(found, mapping or load(), patient_id or _only_patient(found), "")
    mine = [element for element in found if _is_mine(element, scope)]
    scope.encounter_id = encounter_id or _only_encounter(mine)
    return _Assembly(scope, mine).incoming(problems)


def read_orders(
    resources: Iterable[Any], chart: Encounter, mapping: Mapping
) -> tuple[list[Medication], list[Order]]:
    """The orders for drugs and for others among ``resources``, as `read_resources` reads them into
    the record of the stay that ``chart`` is: what is known of patient and stay is not read again.

    The Encounter may be among the resources or not; the times of the stay are the chart's.
    """
    problems = Problems()
    found = Resources(resources, problems)
    scope = Scope(found, mapping, chart.patient.id, chart.id)
    at = chart.discharged_at
    scope.start = chart.admitted_at
    scope.end = at.replace(hour=23, minute=59, second=59) if at else None
    drugs: list[Medication] = []
    others: list[Order] = []
    for element in found:
        kind = element.identity[0]
        if kind == "MedicationRequest" and _is_mine(element, scope):
            drugs += requests(element, scope)
        elif kind == "ServiceRequest" and _is_mine(element, scope):
            others += _kept(order(element, scope))
    return _cut("medications", drugs, problems), _cut("orders", others, problems)


def _only_patient(found: Resources) -> str:
    patients = found.of_type("Patient")
    if len(patients) != 1:
        raise IncomingRefused(
            "请指明患者 patient_id：资源中应恰有一个 Patient。"
            "(Say whose record it is: there is not exactly one Patient among the resources.)"
        )
    return patients[0].identity[1]


def _only_encounter(mine: Sequence[Element]) -> str:
    encounters = [e for e in mine if e.identity[0] == "Encounter"]
    current = [e for e in encounters if e.text("status") not in ("entered-in-error", "cancelled")]
    if len(current) > 1:
        raise IncomingRefused(
            "请指明就诊 encounter_id：资源中有多个 Encounter。"
            "(Say which stay it is: there are several Encounters among the resources.)"
        )
    if not current:
        raise IncomingRefused(
            "请指明就诊 encounter_id：资源中没有该患者的 Encounter。"
            "(Say which stay it is: there is no Encounter of the patient among the resources.)"
        )
    return current[0].identity[1]


def _is_mine(element: Element, scope: Scope) -> bool:
    """Whether a resource is the patient's; the problem says why it is not."""
    kind, identifier = element.identity
    if kind == "Patient":
        if identifier != scope.patient_id:
            element.say(
                "warning", "patient", "属于另一患者，未纳入。(It is of another patient; left out.)"
            )
        return identifier == scope.patient_id
    if kind not in _SUBJECT:
        if kind not in _ASIDE:
            element.say(
                "information", "type", "这类资源不读取。(Resources of this type are not read.)"
            )
        return False
    subject = element.child(_SUBJECT[kind])
    if scope.resources.name_of(subject, element) == ("Patient", scope.patient_id):
        return True
    element.say(
        "warning",
        "patient",
        "属于另一患者或未写明患者，未纳入。(It is of another patient, or of nobody; left out.)",
    )
    return False


class _Assembly:
    """The rows of one encounter."""

    def __init__(self, scope: Scope, mine: Sequence[Element]) -> None:
        self._scope = scope
        self._mine = mine
        self._diagnoses: list[Diagnosis] = []
        self._observations: list[Observation] = []
        self._medications: list[Medication] = []
        self._operations: list[Operation] = []
        self._orders: list[Order] = []
        self._notes: list[Note] = []
        self._given: list[Given] = []
        self._history: list[str] = []
        self._taken: list[str] = []

    def incoming(self, problems: Problems) -> Incoming:
        """The encounter and the problems."""
        scope = self._scope
        values = stay(scope)
        listed = roles(scope)
        for element in self._mine:
            kind = element.identity[0]
            if kind == "Condition":
                rows, line = conditions(element, scope, listed)
                self._diagnoses += rows
                self._history += [line] if line else []
            else:
                self._read(kind, element)
        self._medications += administrations(self._given, scope)
        self._notes += [note for note in self._made_notes() if note is not None]
        tables: dict[str, list[Any]] = {
            "diagnoses": self._diagnoses,
            "notes": _newest(self._notes, lambda n: n.written_at),
            "observations": _newest(self._observations, lambda o: o.at),
            "medications": self._medications,
            "operations": self._operations,
            "orders": self._orders,
        }
        cut = {name: _cut(name, rows, problems) for name, rows in tables.items()}
        try:
            encounter = Encounter(id=scope.encounter_id, patient=patient(scope), **values, **cut)
        except ValidationError as error:
            raise IncomingRefused(
                "患者或就诊的 id 不能用作病历的 id，须为字母数字开头、64 字符以内。"
                "(The patient's or encounter's id cannot be the id of a record.)"
            ) from error
        return Incoming(encounter=encounter, problems=problems.all())

    def _read(self, kind: str, element: Element) -> None:
        scope = self._scope
        match kind:
            case "Observation":
                self._observations += observations(element, scope)
            case "MedicationRequest":
                self._medications += requests(element, scope)
            case "MedicationAdministration":
                self._given += _kept(administration(element, scope))
            case "MedicationStatement":
                line = statement_line(element, scope)
                self._taken += [line] if line else []
            case "Procedure":
                self._operations += _kept(operation(element, scope))
            case "ServiceRequest":
                self._orders += _kept(order(element, scope))
            case "DocumentReference":
                self._notes += _kept(document(element, scope))
            case "Composition":
                self._notes += _kept(composition(element, scope))
            case "DiagnosticReport":
                note, waiting = report(element, scope)
                self._notes += _kept(note)
                self._orders += _kept(waiting)

    def _made_notes(self) -> list[Note | None]:
        """Allergies, past history and what is taken at home: the record has no tables for them."""
        scope = self._scope
        at: datetime | None = scope.start
        found = [e for e in self._mine if e.identity[0] == "AllergyIntolerance"]
        lines = [(is_none(e, scope), line) for e in found if (line := allergy_line(e, scope))]
        positive = [line for none, line in lines if not none]
        if positive and len(positive) < len(lines):
            scope.resources.of_type("AllergyIntolerance")[0].say(
                "warning",
                "contradiction",
                "既有过敏记录又有“无过敏”，只取过敏记录，请核对。"
                "(There are allergies and a denial of allergies; the allergies were read.)",
            )
        allergies = positive or [line for _, line in lines]
        return [
            joined_note(scope, "allergies", "过敏史", allergies, at),
            joined_note(scope, "history", "既往史", self._history, at),
            joined_note(scope, "home-medication", "用药史", self._taken, at),
        ]


def _kept(row: RowT | None) -> list[RowT]:
    return [] if row is None else [row]


def _newest(rows: list[RowT], at: Any) -> list[RowT]:
    """In order of time, what has no time first."""
    return sorted(rows, key=lambda row: (at(row) is not None, str(at(row) or "")))


_MOST = {
    "diagnoses": 200,
    "notes": 500,
    "observations": 5000,
    "medications": 2000,
    "operations": 200,
    "orders": 5000,
}


def _cut(name: str, rows: list[RowT], problems: Problems) -> list[RowT]:
    """The newest rows that a record may have."""
    if len(rows) <= _MOST[name]:
        return rows
    problems.add(
        "",
        "warning",
        "many",
        f"{name} 超过 {_MOST[name]} 行，只取最后的。(Too many rows; the last were taken.)",
    )
    return rows[-_MOST[name] :]
