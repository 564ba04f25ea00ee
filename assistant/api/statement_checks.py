"""``/v1/statement-checks``: what any system wrote, held against the record."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from assistant.api.context import ClinicianDep, ServicesDep, check_header
from assistant.api.problems import documented
from assistant.draft import DISCLAIMER_ZH
from assistant.grounding.checker import CheckedStatement, FindingsOf, checker
from assistant.record.encounter import Encounter
from assistant.record.fields import Identifier
from assistant.record.note import Note
from assistant.store import Context
from knowledge.shipped import shipped_lexicon
from knowledge.text.extraction import FindingExtractor

PATH = "/v1/statement-checks"
router = APIRouter(prefix=PATH, tags=["statement checks 事实核对"])

RecordText = Annotated[str, StringConstraints(min_length=1, max_length=200_000)]
StatementText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=5_000)
]


class StatementCheckRequest(BaseModel):
    """A record - a text, notes or an encounter - and the statements about it."""

    model_config = ConfigDict(extra="forbid")

    record: RecordText | None = None
    notes: list[Note] = Field(default_factory=list, max_length=500)
    encounter: Encounter | None = None
    patient_id: Identifier | None = None
    encounter_id: Identifier | None = None
    statements: list[StatementText] = Field(min_length=1, max_length=500)

    @model_validator(mode="after")
    def _one_record(self) -> StatementCheckRequest:
        given = (self.record is not None) + bool(self.notes) + (self.encounter is not None)
        if given != 1:
            raise ValueError(
                "请给出 record、notes、encounter 之一。(Give one of record, notes and encounter.)"
            )
        if len({note.id for note in self.notes}) < len(self.notes):
            raise ValueError("notes 的 id 有重复，无法标注依据。(Note ids must be unique.)")
        return self

    @property
    def patient(self) -> str:
        """The id of the patient; "" where none is named."""
        return self.encounter.patient.id if self.encounter else self.patient_id or ""

    @property
    def stay(self) -> str:
        """The id of the encounter; "" where none is named."""
        return self.encounter.id if self.encounter else self.encounter_id or ""


class StatementChecks(BaseModel):
    """The statements in the order in which they came."""

    checks: list[CheckedStatement]
    supported: int
    unsupported: int
    knowledge_version: str = ""
    notice: str = DISCLAIMER_ZH


EXAMPLES: dict[str, Any] = {
    "a text": {
        "value": {
            "patient_id": "pat-0001",
            "record": "予低分子肝素5,000IU皮下注射q12h抗凝。否认糖尿病。",
            "statements": ["予低分子肝素5000IU皮下注射，每12小时1次。", "患者有糖尿病。"],
        }
    }
}


@router.post("", responses=documented(409))
async def check(
    body: Annotated[StatementCheckRequest, Body(openapi_examples=EXAMPLES)],
    parts: ServicesDep,
    who: ClinicianDep,
    x_patient_id: Annotated[str | None, Header()] = None,
) -> StatementChecks:
    """Hold each statement against the record: supported with its place, or unsupported and why.

    No model takes part, and nothing of the record is kept: the audit has keyed hashes alone.
    """
    if body.patient:
        check_header(x_patient_id, body.patient)
        context = Context(who.id, who.role, body.patient, body.stay)
    else:
        context = Context(who.id, who.role, x_patient_id or "", body.stay)
    await asyncio.to_thread(
        parts.store.audit.record,
        context,
        "statements.check",
        "statements",
        content=body.model_dump(mode="json", include={"record", "notes", "encounter"}),
    )
    base = parts.knowledge if parts.has_knowledge else None
    extractor = base.extractor if base else FindingExtractor(shipped_lexicon())
    checks = await asyncio.to_thread(_checked, body, extractor.extract)
    supported = sum(found.status == "supported" for found in checks)
    return StatementChecks(
        checks=checks,
        supported=supported,
        unsupported=len(checks) - supported,
        knowledge_version=base.version if base else "",
    )


def _checked(body: StatementCheckRequest, findings_of: FindingsOf) -> list[CheckedStatement]:
    about = checker(body.record or body.encounter or body.notes, findings_of)
    return [about.check(statement) for statement in body.statements]
