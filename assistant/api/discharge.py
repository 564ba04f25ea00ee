"""``/v1/discharge-records``: an encounter in, a whole 出院记录 out, section by section."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from assistant.api import work
from assistant.api.context import (
    ClinicianDep,
    IdempotencyKey,
    PatientDep,
    ServicesDep,
    context_of_record,
)
from assistant.api.problems import Problem, documented
from assistant.draft import DischargeHeader, SectionName
from assistant.record.record import Encounter
from assistant.tasks.discharge.copied import header

PATH = "/v1/discharge-records"
router = APIRouter(prefix=PATH, tags=["discharge record 出院记录"])


class DischargeRequest(BaseModel):
    """An encounter, and which sections are wanted (none named: all five)."""

    model_config = ConfigDict(extra="forbid")

    encounter: Encounter
    sections: list[SectionName] = Field(default_factory=list, max_length=5)


class DischargeJob(work.Job):
    """The job with the part of the record that is copied from the data."""

    header: DischargeHeader


EXAMPLE: dict[str, Any] = {
    "encounter": {
        "id": "enc-0002",
        "patient": {"id": "pat-0002", "name": "示例患者", "sex": "female", "age_text": "45岁"},
        "department": "普外科",
        "admitted_at": "2026-03-02T09:00:00",
        "discharged_at": "2026-03-06T10:00:00",
        "diagnoses": [
            {"kind": "admission", "name": "胆囊结石伴慢性胆囊炎"},
            {"kind": "discharge", "name": "胆囊结石伴慢性胆囊炎", "primary": True},
        ],
        "notes": [
            {
                "id": "n1",
                "kind": "admission",
                "title": "入院记录",
                "text": "主诉：反复右上腹痛1年。\n现病史：进食油腻后右上腹胀痛，无发热、黄疸。",
            },
            {
                "id": "n2",
                "kind": "operation",
                "title": "手术记录",
                "written_at": "2026-03-03T15:00:00",
                "text": "全麻下行腹腔镜胆囊切除术，术中出血约10ml，手术顺利。",
            },
            {
                "id": "n3",
                "kind": "discharge_day",
                "title": "出院当日病程",
                "written_at": "2026-03-06T08:00:00",
                "text": "无腹痛、发热，切口愈合良好，体温36.5℃。出院后低脂饮食，1个月后门诊复查。",
            },
        ],
        "medications": [
            {
                "id": "m1",
                "name": "熊去氧胆酸胶囊",
                "specification": "250mg/粒",
                "dose": "250mg",
                "route": "口服",
                "frequency": "每日2次",
                "days": 14,
                "discharge": True,
            }
        ],
    }
}


@router.post("", responses=documented(409, 503, done=DischargeJob), status_code=202)
async def create(
    body: Annotated[
        DischargeRequest, Body(openapi_examples={"cholecystectomy": {"value": EXAMPLE}})
    ],
    response: Response,
    parts: ServicesDep,
    who: ClinicianDep,
    wait: Annotated[bool, Query(description="Answer when all sections are written.")] = False,
    idempotency_key: IdempotencyKey = None,
    x_patient_id: Annotated[str | None, Header()] = None,
) -> DischargeJob:
    """Write the record.  202 with the job, or 200 with the sections when ``wait=true``."""
    encounter = body.encounter
    if not any(note.text.strip() for note in encounter.all_notes()):
        raise Problem(422, "病历内容为空：没有任何病程记录或数据。(The encounter has no text.)")
    if len({note.id for note in encounter.notes}) < len(encounter.notes):
        raise Problem(422, "notes 的 id 有重复，无法标注依据。(Note ids must be unique.)")
    _ = parts.clinic.knowledge
    context = context_of_record(who, encounter.patient.id, encounter.id, x_patient_id)
    job = await work.accept(
        parts,
        context,
        "discharge_record",
        encounter.model_dump(mode="json"),
        encounter.record_hash(),
        response,
        path=PATH,
        wait=wait,
        idempotency_key=idempotency_key,
        options={"sections": body.sections} if body.sections else None,
    )
    return DischargeJob(**job.model_dump(), header=await asyncio.to_thread(header, encounter))


@router.get("/{job_id}", responses=documented(404))
async def read(job_id: str, parts: ServicesDep, context: PatientDep) -> work.Job:
    """The job and the sections that are ready."""
    return await work.find(parts, context, job_id, PATH)


@router.get("/{job_id}/events", responses=documented(404), response_class=StreamingResponse)
async def events(job_id: str, parts: ServicesDep, context: PatientDep) -> StreamingResponse:
    """Server-Sent Events: ``header``, ``delta`` …, ``draft`` …, ``finished``."""
    return await work.watch(parts, context, job_id)


@router.delete("/{job_id}", responses=documented(404))
async def cancel(job_id: str, parts: ServicesDep, context: PatientDep) -> work.Job:
    """Stop the job; sections that are ready stay."""
    await parts.jobs.cancel(context, job_id)
    return await work.find(parts, context, job_id, PATH)
