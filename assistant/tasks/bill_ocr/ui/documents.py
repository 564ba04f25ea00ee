"""Files in and out for whoever is signed in to the pages: pages as attachments, bills as files."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI, Header, Request, Response

from assistant.api.context import ID_PATTERN, Services
from assistant.api.limits import PAGE_UPLOADS
from assistant.record.attachment import PageImage
from assistant.store import Context
from assistant.tasks.bill_ocr.routes import Form, exported
from assistant.tasks.bill_ocr.uploading import kept_pages

if TYPE_CHECKING:
    from assistant.ui.host import Host

EXPORTS = "pages/bills"
BYTE_ORDER_MARK = "\ufeff".encode()
_PATIENT = Annotated[str, Header(max_length=64, pattern=ID_PATTERN)]


def serve(app: FastAPI, host: Host, parts: Services) -> None:
    """Add the routes; call it before Gradio is mounted."""
    router = APIRouter(include_in_schema=False)

    @router.post(PAGE_UPLOADS, status_code=201)
    async def upload(
        request: Request,
        x_patient_id: _PATIENT,
        x_encounter_id: Annotated[str, Header(max_length=64)] = "",
        x_file_name: Annotated[str, Header(max_length=600)] = "",
    ) -> list[PageImage]:
        who = await host.clinician(request)
        context = Context(who.id, who.role, x_patient_id, x_encounter_id)
        data = await request.body()
        return await asyncio.to_thread(kept_pages, parts, context, unquote(x_file_name), data)

    @router.get(f"/{EXPORTS}/{{bill_id}}/{{form}}")
    async def export(
        bill_id: str,
        form: Form,
        request: Request,
        x_patient_id: _PATIENT,
        x_encounter_id: Annotated[str, Header(max_length=64)] = "",
    ) -> Response:
        who = await host.clinician(request)
        context = Context(who.id, who.role, x_patient_id, x_encounter_id)
        answer = await exported(parts, context, bill_id, form)
        answer.headers["Cache-Control"] = "no-store"
        if form == "csv":  # spreadsheets take UTF-8 without the mark for something else
            body = BYTE_ORDER_MARK + bytes(answer.body)
            return Response(body, media_type=answer.media_type)
        return answer

    app.include_router(router)
