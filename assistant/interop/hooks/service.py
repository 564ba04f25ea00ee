"""The services and what the list of them says of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.alerts.rule import Moment

PATIENT = "Patient/{{context.patientId}}"
_OF_PATIENT = {
    "conditions": "Condition?patient={{context.patientId}}",
    "allergies": "AllergyIntolerance?patient={{context.patientId}}",
    "medications": "MedicationRequest?patient={{context.patientId}}",
    "observations": "Observation?patient={{context.patientId}}&_sort=-date&_count=200",
    "documents": "DocumentReference?patient={{context.patientId}}",
}
_STAY = {"encounter": "Encounter/{{context.encounterId}}"}
_OPEN_STAYS = {"encounters": "Encounter?patient={{context.patientId}}&status=in-progress"}


@dataclass(frozen=True, slots=True)
class HookService:
    """One service.  ``required`` are the fields of its context; ``event`` is the event of the
    record that its call is, see `assistant.interop.events`."""

    id: str
    hook: str
    moment: Moment
    title: str
    description: str
    required: tuple[str, ...]
    prefetch: Mapping[str, str]
    event: str = ""
    draft_kinds: tuple[str, ...] = ()
    """Kinds of drafts of which a card tells when one is ready."""

    note_kinds: Mapping[str, str] = field(default_factory=dict)

    def described(self) -> dict[str, Any]:
        """As the list of services has it."""
        return {
            "id": self.id,
            "hook": self.hook,
            "title": self.title,
            "description": self.description,
            "prefetch": dict(self.prefetch),
            "usageRequirements": (
                "Resources are FHIR R4. Data that the prefetch lacks are read from fhirServer with "
                "the token of fhirAuthorization, where the server is allowed here."
            ),
        }


_USER_PATIENT = ("userId", "patientId")
_ALL = {"patient": PATIENT, **_OF_PATIENT}

SERVICES: tuple[HookService, ...] = (
    HookService(
        "bedside-patient-view",
        "patient-view",
        "view",
        "打开患者时的提示",
        "危急值、过敏、不可漏诊等提示，以及已就绪的草稿。 "
        "Alerts when a chart is opened, and drafts that are ready.",
        _USER_PATIENT,
        {**_ALL, **_OPEN_STAYS},
        draft_kinds=("differential_diagnosis", "discharge_record"),
    ),
    HookService(
        "bedside-order-select",
        "order-select",
        "order",
        "选择医嘱时的提示",
        "所选医嘱的过敏、相互作用、重复用药、肾功能剂量。 "
        "Alerts about the orders that are selected.",
        (*_USER_PATIENT, "selections", "draftOrders"),
        {**_ALL, **_OPEN_STAYS},
    ),
    HookService(
        "bedside-order-sign",
        "order-sign",
        "order",
        "签署医嘱时的提示",
        "待签医嘱的过敏、相互作用、重复用药、肾功能剂量。 Alerts about the orders that are signed.",
        (*_USER_PATIENT, "draftOrders"),
        {**_ALL, **_OPEN_STAYS},
    ),
    HookService(
        "bedside-encounter-start",
        "encounter-start",
        "view",
        "入院时的提示",
        "入院时的提示；按规则开始生成草稿。 Alerts at the beginning of a stay; drafts are begun by "
        "rules.",
        (*_USER_PATIENT, "encounterId"),
        {**_ALL, **_STAY},
        event="encounter.start",
        draft_kinds=("differential_diagnosis",),
    ),
    HookService(
        "bedside-encounter-discharge",
        "encounter-discharge",
        "discharge",
        "出院时的提示",
        "未回报结果、用药重整、应有未有；出院记录草稿。 Alerts at discharge, and the discharge "
        "record when it is ready.",
        (*_USER_PATIENT, "encounterId"),
        {**_ALL, **_STAY},
        event="encounter.discharge",
        draft_kinds=("discharge_record",),
    ),
    HookService(
        "bedside-note-open",
        "bedside.note-open",
        "note",
        "打开文书时的提示",
        "该文书已就绪的草稿与提示。 Alerts and the draft that is ready, when a note is opened.",
        (*_USER_PATIENT, "encounterId", "noteType"),
        {**_ALL, **_STAY},
        draft_kinds=("differential_diagnosis", "discharge_record"),
    ),
    HookService(
        "bedside-note-save",
        "bedside.note-save",
        "note",
        "保存文书时的提示",
        "所存文书的提示与病历质控；按规则开始生成草稿。 "
        "Alerts and quality control of a note that is saved; drafts are begun by rules.",
        (*_USER_PATIENT, "encounterId", "noteId", "noteType"),
        {**_ALL, **_STAY},
        event="note.saved",
        draft_kinds=("differential_diagnosis", "discharge_record"),
    ),
)
BY_ID = {service.id: service for service in SERVICES}
