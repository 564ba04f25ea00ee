"""A finished result as a file, for whoever is signed in to the pages."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, Header, Request, Response

from assistant.api.context import Services
from assistant.api.problems import Problem
from assistant.api.work import find, show
from assistant.store import Context
from assistant.tasks.structuring.export import entities_csv, table_csv
from assistant.tasks.structuring.routes import KIND, exported, result
from assistant.ui.host import Host

BYTE_ORDER_MARK = "\ufeff"
"""Without it, spreadsheets take a CSV file in UTF-8 for something else."""

Form = Literal["csv", "json", "fhir", "table"]


def serve(app: FastAPI, host: Host, parts: Services) -> None:
    """Add the documents; call it before Gradio is mounted."""
    router = APIRouter(include_in_schema=False)

    @router.get("/{job_id}/{form}")
    async def export(
        job_id: str,
        form: Form,
        request: Request,
        x_patient_id: Annotated[str, Header(max_length=64)],
        x_encounter_id: Annotated[str, Header(max_length=64)] = "",
    ) -> Response:
        who = await host.clinician(request)
        context = Context(who.id, who.role, x_patient_id, x_encounter_id)
        answer = await document(parts, context, job_id, form)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    app.include_router(router, prefix="/pages/structured")


async def document(parts: Services, context: Context, job_id: str, form: Form) -> Response:
    """The result in one of its forms.  404 outside of its patient's context."""
    if form == "fhir":
        return await exported(parts, context, job_id, "fhir")
    row = await find(parts, context, parts.tasks[KIND], job_id)
    if form == "json":
        job = await show(parts, context, parts.tasks[KIND], row)
        return Response(job.model_dump_json(indent=1), media_type="application/json")
    done = await result(parts, context, job_id)
    if form == "csv":
        text = await asyncio.to_thread(entities_csv, done.notes if done else [])
    elif done is not None and done.table is not None:
        text = await asyncio.to_thread(table_csv, done.table)
    else:
        raise Problem(404, "没有特征表：结构化时未选模板。(No template, so no table.)")
    return Response(BYTE_ORDER_MARK + text, media_type="text/csv; charset=utf-8")
