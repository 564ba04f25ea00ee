"""``/v1/answers``: a question over the knowledge base, answered with citations."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Body, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from assistant.api import work
from assistant.api.context import ClinicianDep, IdempotencyKey, PatientDep, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.record.record import Identifier
from assistant.store import Context

PATH = "/v1/answers"
router = APIRouter(prefix=PATH, tags=["chat 知识问答"])


class Question(BaseModel):
    """A question; the patient's ids bind the draft to a context."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(min_length=1, max_length=1_000)
    patient_id: Identifier
    encounter_id: Identifier | None = None


@router.post("", responses=documented(409, 503, done=work.Job), status_code=202)
async def create(
    body: Annotated[
        Question,
        Body(
            openapi_examples={
                "rhinitis": {"value": {"question": "过敏性鼻炎要做什么检查？", "patient_id": "p1"}}
            }
        ),
    ],
    response: Response,
    parts: ServicesDep,
    who: ClinicianDep,
    wait: Annotated[bool, Query(description="Answer when the text is whole.")] = False,
    idempotency_key: IdempotencyKey = None,
    x_patient_id: Annotated[str | None, Header()] = None,
) -> work.Job:
    """Ask.  202 with the job, or 200 with the answer when ``wait=true``."""
    if not body.question.strip():
        raise Problem(422, "问题为空。(The question is empty.)")
    if x_patient_id is not None and x_patient_id != body.patient_id:
        raise Problem(409, "X-Patient-Id 与请求中的患者不一致。(The header names another patient.)")
    _ = parts.clinic.knowledge
    context = Context(who.id, who.role, body.patient_id, body.encounter_id or "")
    return await work.accept(
        parts,
        context,
        "chat",
        {"question": body.question},
        hashlib.sha256(body.question.encode()).hexdigest(),
        response,
        path=PATH,
        wait=wait,
        idempotency_key=idempotency_key,
    )


@router.get("/{job_id}", responses=documented(404))
async def read(job_id: str, parts: ServicesDep, context: PatientDep) -> work.Job:
    """The job and the answer when it is ready."""
    return await work.find(parts, context, job_id, PATH)


@router.get("/{job_id}/events", responses=documented(404), response_class=StreamingResponse)
async def events(job_id: str, parts: ServicesDep, context: PatientDep) -> StreamingResponse:
    """Server-Sent Events: ``passages``, ``delta`` …, ``draft``, ``finished``."""
    return await work.watch(parts, context, job_id)
