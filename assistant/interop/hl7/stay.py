"""A stay as its kept messages have it: folded in the order of their own time, not of arrival.

What a later message says of the same thing (the patient, the visit, one result, one document) takes
the place of what an earlier one said, whichever came first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from assistant.interop.fhir.mapping import Mapping, load
from assistant.interop.hl7.documents import Document, document
from assistant.interop.hl7.message import Message, Segment, moment
from assistant.interop.hl7.results import Report, Result, identifier, named, results
from assistant.record.diagnosis import Diagnosis
from assistant.record.encounter import Encounter
from assistant.record.note import Note
from assistant.record.observation import Observation
from assistant.record.patient import Patient

_SEX = {"M": "male", "F": "female", "男": "male", "女": "female", "1": "male", "2": "female"}
_DISCHARGE = frozenset({"F", "FINAL", "出院", "出院诊断"})
_ADT_VISIT = frozenset({"A01", "A02", "A03", "A04", "A08", "A11", "A12", "A13"})


@dataclass
class Stay:
    """What the messages come to so far."""

    patient_id: str
    encounter_id: str
    mapping: Mapping = field(default_factory=load)
    person: dict[str, Any] = field(default_factory=dict)
    visit: dict[str, Any] = field(default_factory=dict)
    diagnoses: list[dict[str, Any]] = field(default_factory=list)
    allergies: list[str] = field(default_factory=list)
    observed: dict[str, Result] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    cancelled: bool = False
    left_out: int = 0
    """Rows that a record cannot hold."""

    def take(self, message: Message) -> None:
        """Fold one message in; they come in order of their time."""
        for one in message.segments():
            if one.name == "PID":
                self._person(one)
            elif one.name == "PV1" and message.code == "ADT":
                self._visit(one, message)
        match message.code:
            case "ADT":
                self._listed(message)
            case "ORU":
                found, reports = results(message, self.mapping)
                for row in found:
                    self.observed.pop(row.key, None)
                    if not row.removed:
                        self.observed[row.key] = row
                for report in reports:
                    self.reports.pop(report.key, None)
                    if not report.removed and report.lines:
                        self.reports[report.key] = report
            case "MDM":
                self._document(message)

    def _person(self, pid: Segment) -> None:
        name = _name(pid)
        if name:
            self.person["name"] = name
        if sex := _SEX.get(pid.text(8).upper()):
            self.person["sex"] = sex
        if born := moment(pid.text(7)):
            self.person["birth_date"] = born.date()

    def _visit(self, visit: Segment, message: Message) -> None:
        if message.trigger not in _ADT_VISIT:
            return
        self._set("ward", visit, visit.text(3, 1), 3)
        bed = "-".join(part for part in (visit.text(3, 2), visit.text(3, 3)) if part)
        self._set("bed", visit, bed, 3)
        self._set("department", visit, visit.text(10, 2) or visit.text(10), 10)
        if admitted := moment(visit.text(44)):
            self.visit["admitted_at"] = admitted
        elif message.trigger in ("A01", "A04") and "admitted_at" not in self.visit:
            self.visit["admitted_at"] = _event_time(message)
        if message.trigger == "A03":
            self.visit["discharged_at"] = moment(visit.text(45)) or _event_time(message)
        elif message.trigger == "A13" or visit.is_null(45):
            self.visit.pop("discharged_at", None)
        elif left := moment(visit.text(45)):
            self.visit["discharged_at"] = left
        self.cancelled = message.trigger == "A11"

    def _set(self, name: str, segment: Segment, value: str, number: int) -> None:
        if value:
            self.visit[name] = value
        elif segment.is_null(number):
            self.visit.pop(name, None)

    def _listed(self, message: Message) -> None:
        """Diagnoses and allergies: a message that has any has all."""
        diagnoses = [_diagnosis(s, self.mapping) for s in message.segments() if s.name == "DG1"]
        if diagnoses:
            self.diagnoses = [row for row in diagnoses if row]
        allergies = [_allergy(s, self.mapping) for s in message.segments() if s.name == "AL1"]
        if allergies:
            self.allergies = list(dict.fromkeys(line for line in allergies if line))

    def _document(self, message: Message) -> None:
        found = document(message, self.mapping)
        if found is None or not (found.text or found.removed):
            return
        for key in filter(None, (found.key, found.replaces)):
            if not (found.addendum and key == found.replaces):
                self.documents.pop(key, None)
        if not found.removed and found.text:
            self.documents[found.key] = found

    def encounter(self) -> Encounter:
        """The stay as a record."""
        notes = [*self._notes(), *self._report_notes()]
        allergies = self.allergies
        positive = [line for line in allergies if not line.startswith("否认")]
        if allergies:
            text = "\n".join(positive or allergies)
            notes.append(Note(id="hl7.allergies", kind="other", title="过敏史", text=text))
        rows_of = {
            "diagnoses": self._made(Diagnosis, self.diagnoses)[:200],
            "notes": notes[-500:],
            "observations": self._made(Observation, map(_observation, self.observed.values()))[
                -5000:
            ],
        }
        visit = dict(self.visit)
        start, end = visit.get("admitted_at"), visit.get("discharged_at")
        if start and end and end.replace(tzinfo=None) < start.replace(tzinfo=None):
            del visit["discharged_at"]
            self.left_out += 1
        try:
            person = Patient(id=self.patient_id, **self.person)
        except ValidationError:
            person = Patient(id=self.patient_id)
            self.left_out += 1
        cut = {k: v[:500] if isinstance(v, str) else v for k, v in visit.items()}
        return Encounter(id=self.encounter_id, patient=person, **cut, **rows_of)

    def _notes(self) -> list[Note]:
        return self._made(
            Note,
            (
                {
                    "id": identifier(one.key),
                    "kind": one.kind,
                    "title": one.title[:500],
                    "written_at": one.at,
                    "author": one.author[:500],
                    "text": one.text,
                }
                for one in self.documents.values()
            ),
        )

    def _report_notes(self) -> list[Note]:
        return self._made(
            Note,
            (
                {
                    "id": identifier(f"report.{one.key}"),
                    "title": f"{one.title}（初步报告）" if one.early else one.title,
                    "written_at": one.at,
                    "text": "\n".join(one.lines),
                }
                for one in self.reports.values()
            ),
        )

    def _made(self, kind: Any, values: Iterable[dict[str, Any]]) -> list[Any]:
        made = []
        for value in values:
            try:
                made.append(kind.model_validate(value))
            except ValidationError:
                self.left_out += 1
        return made


def encounter_of(
    messages: Iterable[Message], patient_id: str, encounter_id: str, mapping: Mapping | None = None
) -> Encounter:
    """The stay that these messages, in order of their time, come to."""
    stay = Stay(patient_id, encounter_id, mapping or load())
    for message in messages:
        stay.take(message)
    return stay.encounter()


def _observation(row: Result) -> dict[str, Any]:
    return {
        "id": identifier(row.key),
        "name": row.name,
        "value": row.value,
        "unit": row.unit,
        "reference": row.reference,
        "flag": row.flag or None,
        "at": row.at,
        "status": "pending" if row.pending else "final",
    }


def _name(pid: Segment) -> str:
    """The name in Chinese where there is one: family name, then given name."""
    names = []
    for one in pid.repetitions(5):
        family, given = one.text(1), one.text(2)
        whole = f"{family}{given}" if not (family + given).isascii() else f"{given} {family}"
        names.append(whole.strip())
    chinese = [name for name in names if name and not name.isascii()]
    return next(iter((*chinese, *filter(None, names))), "")[:500]


def _event_time(message: Message) -> datetime | None:
    event = message.first("EVN")
    times = (event.text(6), event.text(2)) if event else ()
    return next((t for text in times if (t := moment(text))), None) or message.written_at


def _diagnosis(segment: Segment, mapping: Mapping) -> dict[str, Any] | None:
    """A DG1; None for one that is deleted, denied or without words."""
    name = named(segment, 3, mapping) if segment.text(3, 2) else ""
    name = name or segment.text(4) or segment.text(3)
    if not name or segment.text(21).upper() == "D" or mapping.denied.search(name):
        return None
    code = segment.text(3)
    kind = segment.text(6).upper()
    return {
        "kind": "discharge" if kind in _DISCHARGE else "admission",
        "name": name,
        "icd10": code if code != name and code[:1].isalpha() and code.isascii() else None,
        "primary": segment.text(15) == "1",
    }


def _allergy(segment: Segment, mapping: Mapping) -> str:
    """A line of the allergy history; that there is none reads as a denial."""
    if segment.text(6).upper() == "D":
        return ""
    name = named(segment, 3, mapping)
    if not name:
        return ""
    if mapping.no_allergy.search(name) or mapping.is_among("no_allergy_codes", "", name):
        return "否认过敏史。"
    said = name if "过敏" in name else f"{name}过敏"
    reaction = "、".join(t for one in segment.repetitions(5) if (t := one.text(1)))
    return f"{said}（反应：{reaction}）。" if reaction else f"{said}。"
