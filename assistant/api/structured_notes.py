"""``/v1/structured-notes``: notes in, entities, relations, codes and the patient's view out."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Header, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import Field, model_validator

from assistant.api import work
from assistant.api.context import ClinicianDep, IdempotencyKey, PatientDep, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.store import Context
from assistant.tasks.structuring.chain import LongText, NotesToStructure, NoteToStructure
from assistant.tasks.structuring.entity import StructuredNote
from assistant.tasks.structuring.export import entities_csv
from assistant.tasks.structuring.features import FeatureTable
from assistant.tasks.structuring.fhir import bundle
from assistant.tasks.structuring.patient import PatientView
from assistant.tasks.structuring.template import shipped_templates

PATH = "/v1/structured-notes"
router = APIRouter(prefix=PATH, tags=["structured notes 后结构化"])


class StructuringRequest(NotesToStructure):
    """One text, or the notes of one patient."""

    text: LongText | None = None
    notes: list[NoteToStructure] = Field(default_factory=list, max_length=500)

    @model_validator(mode="after")
    def _one_or_many(self) -> StructuringRequest:
        if (self.text is None) == (not self.notes):
            raise ValueError("请给出 text 或 notes 之一。(Give either text or notes.)")
        return self

    def as_notes(self) -> NotesToStructure:
        """The same with a single text as a note of its own."""
        notes = self.notes or [NoteToStructure(text=self.text or "")]
        return NotesToStructure.model_validate(
            self.model_dump(exclude={"text", "notes"}) | {"notes": notes}
        )


class StructuringJob(work.Job):
    """The job with what the notes came to; ``drafts`` tells of the draft without repeating it."""

    notes: list[StructuredNote] = Field(default_factory=list)
    patient: PatientView | None = None
    table: FeatureTable | None = None


EXAMPLES: dict[str, Any] = {
    "one note": {
        "value": {
            "patient_id": "pat-0003",
            "text": "发热、咳嗽3天，无胸痛。T 38.5℃，右下肺可闻及湿啰音。WBC 12.3×10^9/L↑。",
        }
    },
    "a batch": {
        "value": {
            "patient_id": "pat-0003",
            "encounter_id": "enc-0003",
            "admitted_at": "2026-03-02T09:00:00",
            "template": "chest-ct",
            "notes": [
                {
                    "id": "ct-1",
                    "title": "胸部CT",
                    "written_at": "2026-03-03T10:00:00",
                    "text": "右肺上叶见一实性结节，大小约12mm×8mm，边缘毛刺。双侧胸腔未见积液。",
                },
                {"id": "n1", "text": "既往高血压10年，口服氨氯地平5mg qd。"},
            ],
        }
    },
}
_RESULT = ("notes", "patient", "table")


@router.post("", responses=documented(409, 503) | {202: {"model": StructuringJob}})
async def create(
    body: Annotated[StructuringRequest, Body(openapi_examples=EXAMPLES)],
    response: Response,
    parts: ServicesDep,
    who: ClinicianDep,
    wait: Annotated[bool, Query(description="False: answer 202 at once.")] = True,
    idempotency_key: IdempotencyKey = None,
    x_patient_id: Annotated[str | None, Header()] = None,
) -> StructuringJob:
    """Structure a note or a batch.  200 with the result, or 202 with the job when ``wait=false``.

    A text without anything in it has no entities; that is no error.
    """
    request = body.as_notes()
    if len({note.id for note in request.notes}) < len(request.notes):
        raise Problem(422, "notes 的 id 有重复，无法标注依据。(Note ids must be unique.)")
    if request.template and request.template not in shipped_templates():
        known = "、".join(shipped_templates())
        raise Problem(422, f"没有这个模板，可选：{known}。(No such template.)")
    if x_patient_id is not None and x_patient_id != request.patient_id:
        raise Problem(409, "X-Patient-Id 与请求中的患者不一致。(The header names another patient.)")
    context = Context(who.id, who.role, request.patient_id or "", request.encounter_id or "")
    row = await parts.jobs.submit(
        context,
        "structured_notes",
        request.model_dump(mode="json"),
        request.record_hash(),
        idempotency_key=idempotency_key,
    )
    if wait:
        # It takes no model's place, so it need not queue behind work that does.
        await parts.jobs.work_on(row.id)
        await parts.jobs.finished(context, row.id)
        row = await asyncio.to_thread(parts.store.requests.get, context, row.id)
    response.status_code = 200 if wait else 202
    response.headers["Location"] = f"{PATH}/{row.id}"
    return await _shown(parts, context, row.id)


async def _shown(parts: ServicesDep, context: Context, job_id: str) -> StructuringJob:
    job = await work.find(parts, context, job_id, PATH)
    done = job.drafts[0] if job.drafts else {}
    result = {key: done[key] for key in _RESULT if key in done}
    drafts = [{key: d[key] for key in d if key not in _RESULT} for d in job.drafts]
    return StructuringJob.model_validate(job.model_dump() | {"drafts": drafts} | result)


@router.get("/{job_id}", responses=documented(404))
async def read(job_id: str, parts: ServicesDep, context: PatientDep) -> StructuringJob:
    """The job and the result when it is ready."""
    return await _shown(parts, context, job_id)


@router.get("/{job_id}/events", responses=documented(404), response_class=StreamingResponse)
async def events(job_id: str, parts: ServicesDep, context: PatientDep) -> StreamingResponse:
    """Server-Sent Events: ``started``, ``draft``, ``finished`` | ``failed`` | ``cancelled``."""
    return await work.watch(parts, context, job_id)


@router.get(
    "/{job_id}/export",
    responses=documented(404) | {200: {"content": {"application/fhir+json": {}, "text/csv": {}}}},
    response_class=Response,
)
async def export(
    job_id: str,
    parts: ServicesDep,
    context: PatientDep,
    form: Annotated[Literal["fhir", "csv"], Query(alias="format")] = "fhir",
) -> Response:
    """The result as an HL7 FHIR R4 Bundle, or its entities as CSV."""
    job = await _shown(parts, context, job_id)
    if form == "csv":
        text = await asyncio.to_thread(entities_csv, job.notes)
        return PlainTextResponse(text, media_type="text/csv; charset=utf-8")
    content = await asyncio.to_thread(bundle, job.patient_id or "unknown", job.notes)
    return JSONResponse(content, media_type="application/fhir+json")


@router.delete("/{job_id}", responses=documented(404))
async def cancel(job_id: str, parts: ServicesDep, context: PatientDep) -> StructuringJob:
    """Stop the job; a result that is ready stays."""
    await parts.jobs.cancel(context, job_id)
    return await _shown(parts, context, job_id)
