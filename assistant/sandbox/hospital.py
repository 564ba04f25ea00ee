"""What the small EMR keeps, in memory: stays with their fields, FHIR resources, the message log."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from assistant.record.encounter import Encounter
from assistant.record.note import Note, NoteKind
from assistant.sandbox.resources import Resource, document, resources_of

USERS = ({"id": "doc-lu", "name": "陆医师", "role": "doctor"},
         {"id": "doc-song", "name": "宋医师", "role": "doctor"},
         {"id": "nurse-he", "name": "何护士", "role": "nurse"})  # fmt: skip
FIELDS: dict[str, str] = {
    "chief_complaint": "主诉",
    "present_illness": "现病史",
    "past_history": "既往史",
    "examination": "体格检查",
    "tests": "辅助检查",
    "preliminary_diagnosis": "初步诊断",
    "first_progress_note": "首次病程记录",
    "discharge_diagnosis": "出院诊断",
    "admission_condition": "入院情况",
    "hospital_course": "诊疗经过",
    "discharge_condition": "出院情况",
    "discharge_orders": "出院医嘱",
}
NOTE_KINDS: dict[str, NoteKind] = {"first_progress_note": "first_progress"}
_FROM_ADMISSION = ("chief_complaint", "present_illness", "past_history", "examination", "tests")
MOST_LOGGED = 500


@dataclass
class Stay:
    """One stay; ``drafts`` says from which draft of Bedside a field was filled."""

    encounter: Encounter
    fields: dict[str, str]
    drafts: dict[str, str] = field(default_factory=dict)
    signed: dict[str, dict[str, Any]] = field(default_factory=dict)


class Hospital:
    """All of it; its methods may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.stays = {stay.encounter.id: stay for stay in map(_stay, _samples())}
        self._resources: dict[tuple[str, str], Resource] = {}
        for stay in self.stays.values():
            for one in resources_of(stay.encounter):
                self._resources[(one["resourceType"], one["id"])] = one
        self._log: deque[dict[str, Any]] = deque(maxlen=MOST_LOGGED)
        self._received: dict[str, dict[str, Any]] = {}

    def find(self, kind: str, resource_id: str) -> Resource | None:
        """One resource."""
        with self._lock:
            return self._resources.get((kind, resource_id))

    def search(self, kind: str, parameters: Mapping[str, str]) -> list[Resource]:
        """By patient, encounter, status and id: what Bedside asks for."""
        patient = parameters.get("patient", parameters.get("subject", "")).rpartition("/")[2]
        encounter = parameters.get("encounter", "").rpartition("/")[2]
        with self._lock:
            found = [one for (k, _), one in self._resources.items() if k == kind]
        return [
            one
            for one in found
            if (not patient or _patient_of(one) == patient)
            and (not encounter or _encounter_of(one) in ("", encounter))
            and one["id"] in (parameters.get("_id", one["id"]),)
            and (kind != "Encounter" or one["status"] in parameters.get("status", one["status"]))
        ]

    def save(self, encounter_id: str, name: str, text: str, draft: str = "") -> Note:
        """Keep a field; it is a note of the record from now on."""
        stay = self.stays[encounter_id]
        with self._lock:
            stay.fields[name] = text
            if draft:
                stay.drafts[name] = draft
            title = FIELDS[name]
            kind = NOTE_KINDS.get(name, "discharge_day" if "discharge" in name else "other")
            note = Note(id=f"emr-{name.replace('_', '-')}", kind=kind, title=title, text=text)
            one = document(stay.encounter, note)
            self._resources[("DocumentReference", one["id"])] = one
            return note

    def log(self, way: str, what: str, **details: Any) -> None:
        """A line of the message log, newest last."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        with self._lock:
            self._log.append({"at": at, "way": way, "what": what, **details})

    def logged(self) -> Sequence[dict[str, Any]]:
        """The message log."""
        with self._lock:
            return list(self._log)

    def receive(self, key: str, message: dict[str, Any]) -> bool:
        """A text of the webhook; False where it came before under the same key."""
        with self._lock:
            if key in self._received:
                return False
            self._received[key] = message
            return True

    def received(self) -> Sequence[dict[str, Any]]:
        """All texts of the webhook."""
        with self._lock:
            return list(self._received.values())


def _samples() -> list[Encounter]:
    folder = files("assistant").joinpath("samples", "encounters")
    read = [json.loads(f.read_text("utf-8")) for f in folder.iterdir() if f.name.endswith(".json")]
    return sorted((Encounter.model_validate(one) for one in read), key=lambda e: e.id)


def _stay(encounter: Encounter) -> Stay:
    """The fields of the admission note are filled in, all others are for the doctor to write."""
    titles = {FIELDS[name]: name for name in _FROM_ADMISSION}
    fields = dict.fromkeys(FIELDS, "")
    admission = next((n.text for n in encounter.notes if n.kind == "admission"), "")
    for line in admission.splitlines():
        title, colon, text = line.partition("：")
        if colon and (name := titles.get(title.strip())):
            fields[name] = text.strip()
    return Stay(encounter, fields)


def _patient_of(one: Resource) -> str:
    if one["resourceType"] == "Patient":
        return str(one["id"])
    return str(one.get("subject", {}).get("reference", "")).rpartition("/")[2]


def _encounter_of(one: Resource) -> str:
    if one["resourceType"] == "Encounter":
        return str(one["id"])
    listed = one.get("context", {}).get("encounter") or [{}]
    encounter = one.get("encounter") or listed[0]
    return str(encounter.get("reference", "")).rpartition("/")[2]
