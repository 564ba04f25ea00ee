"""``/v1/differential-diagnoses``: a case in, one draft a panel member out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from assistant.api import work
from assistant.api.context import (
    ClinicianDep,
    IdempotencyKey,
    PatientDep,
    ServicesDep,
    context_of_record,
)
from assistant.api.problems import Problem, documented
from assistant.record.record import Case

PATH = "/v1/differential-diagnoses"
router = APIRouter(prefix=PATH, tags=["differential diagnosis 鉴别诊断"])


class CaseRequest(Case):
    """A case, and which members are to answer (none named: all)."""

    members: list[str] = Field(default_factory=list, max_length=8)


EXAMPLE: dict[str, Any] = {
    "patient": {"id": "pat-0001", "sex": "male", "age_text": "58岁", "age_years": 58},
    "encounter_id": "enc-0001",
    "chief_complaint": "胸痛2小时",
    "present_illness": "2小时前搬重物后突发胸骨后压榨样疼痛，伴出汗、恶心，无发热、咳嗽。",
    "past_history": "高血压10年，否认糖尿病。",
    "examination": "血压160/95mmHg，心率98次/分，双肺未闻及啰音。",
    "tests": "",
}


@router.post("", responses=documented(409, 503, done=work.Job), status_code=202)
async def create(
    body: Annotated[CaseRequest, Body(openapi_examples={"chest pain": {"value": EXAMPLE}})],
    response: Response,
    parts: ServicesDep,
    who: ClinicianDep,
    wait: Annotated[bool, Query(description="Answer when all members have.")] = False,
    idempotency_key: IdempotencyKey = None,
    x_patient_id: Annotated[str | None, Header()] = None,
) -> work.Job:
    """Ask the panel.  202 with the job, or 200 with the drafts when ``wait=true``."""
    if not body.notes():
        raise Problem(
            422, "病历内容为空：请至少填写主诉、现病史或病历原文。(The case has no text.)"
        )
    known = {member.name for member in parts.settings.panel}
    if unknown := [name for name in body.members if name not in known]:
        raise Problem(
            422,
            f"有 {len(unknown)} 个成员不存在，可选：{'、'.join(sorted(known))}。(Unknown members.)",
        )
    _ = parts.clinic.knowledge
    case = Case.model_validate(body.model_dump(exclude={"members"}))
    context = context_of_record(who, case.patient.id, case.encounter_id, x_patient_id)
    return await work.accept(
        parts,
        context,
        "differential_diagnosis",
        case.model_dump(mode="json"),
        case.record_hash(),
        response,
        path=PATH,
        wait=wait,
        idempotency_key=idempotency_key,
        options={"members": body.members} if body.members else None,
    )


@router.get("/{job_id}", responses=documented(404))
async def read(job_id: str, parts: ServicesDep, context: PatientDep) -> work.Job:
    """The job and the drafts that are ready."""
    return await work.find(parts, context, job_id, PATH)


@router.get("/{job_id}/events", responses=documented(404), response_class=StreamingResponse)
async def events(job_id: str, parts: ServicesDep, context: PatientDep) -> StreamingResponse:
    """Server-Sent Events: ``started``, ``draft`` …, ``finished`` | ``failed`` | ``cancelled``."""
    return await work.watch(parts, context, job_id)


@router.delete("/{job_id}", responses=documented(404))
async def cancel(job_id: str, parts: ServicesDep, context: PatientDep) -> work.Job:
    """Stop the job; drafts that are ready stay."""
    await parts.jobs.cancel(context, job_id)
    return await work.find(parts, context, job_id, PATH)
