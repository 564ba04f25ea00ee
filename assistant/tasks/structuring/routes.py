"""``/v1/structured-notes/{id}/export``: the result as FHIR or CSV."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from assistant.api.context import PatientDep, Services, ServicesDep
from assistant.api.problems import documented
from assistant.store import Context, RequestNotFound
from assistant.tasks.structuring.draft import StructuredNotes
from assistant.tasks.structuring.export import entities_csv
from assistant.tasks.structuring.fhir import bundle

KIND = "structured_notes"


async def result(parts: Services, context: Context, job_id: str) -> StructuredNotes | None:
    """What a job came to; None before it is there.  Raises `RequestNotFound`."""
    row = await asyncio.to_thread(parts.store.requests.get, context, job_id)
    if row.kind != KIND:
        raise RequestNotFound
    drafts = await asyncio.to_thread(parts.store.drafts.list, context, row.id)
    made = (parts.tasks.draft(draft.content["draft"]) for draft in drafts)
    return next((draft for draft in made if isinstance(draft, StructuredNotes)), None)


async def exported(
    parts: Services, context: Context, job_id: str, form: Literal["fhir", "csv"]
) -> Response:
    """The result in one of its forms."""
    done = await result(parts, context, job_id)
    notes = done.notes if done else []
    if form == "csv":
        text = await asyncio.to_thread(entities_csv, notes)
        return PlainTextResponse(text, media_type="text/csv; charset=utf-8")
    content = await asyncio.to_thread(bundle, context.patient_id or "unknown", notes)
    return JSONResponse(content, media_type="application/fhir+json")


def add(router: APIRouter) -> None:
    """Add the export to the task's routes."""

    @router.get(
        "/{job_id}/export",
        responses=documented(404)
        | {200: {"content": {"application/fhir+json": {}, "text/csv": {}}}},
        response_class=Response,
    )
    async def export(
        job_id: str,
        parts: ServicesDep,
        context: PatientDep,
        form: Annotated[Literal["fhir", "csv"], Query(alias="format")] = "fhir",
    ) -> Response:
        """The result as an HL7 FHIR R4 Bundle, or its entities as CSV."""
        return await exported(parts, context, job_id, form)
