"""Files in and out for whoever is signed in to the pages: pages as attachments, bills as files."""

from __future__ import annotations

import asyncio
import io
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated
from urllib.parse import unquote

from fastapi import APIRouter, FastAPI, Header, Request, Response

from assistant.api.context import ID_PATTERN, Services
from assistant.api.limits import PAGE_UPLOADS
from assistant.api.problems import Problem
from assistant.record.attachment import PageImage
from assistant.record.attachment_content import ContentInvalid, read
from assistant.store import Context
from assistant.tasks.bill_ocr.routes import Form, exported

if TYPE_CHECKING:
    from assistant.ui.guest import Host

EXPORTS = "pages/bills"
BYTE_ORDER_MARK = "\ufeff".encode()
_AS_IT_IS = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
_OPENED = frozenset({".pdf", ".tif", ".tiff", ".heic", ".heif"})
SUFFIXES = (*_AS_IT_IS, *sorted(_OPENED))
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


def kept_pages(parts: Services, context: Context, name: str, data: bytes) -> list[PageImage]:
    """The pages of a file, kept as attachments of the patient.

    What browsers cannot show (PDF, TIFF, HEIC) is opened, and its pages are kept as PNG.  Raises
    `Problem` for what is no such file.
    """
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if suffix in _AS_IT_IS:
        try:
            pictures = [(data, _AS_IT_IS[suffix])]
            return _kept(parts, context, pictures)
        except ContentInvalid as error:
            raise Problem(422, str(error)) from None
    if suffix not in _OPENED:
        raise Problem(
            415, f"票据文件须为 {'、'.join(s[1:].upper() for s in SUFFIXES)}。(Not such a file.)"
        )
    return _kept(parts, context, _opened(name, data))


def _opened(name: str, data: bytes) -> list[tuple[bytes, str]]:
    from PIL import Image

    from serving.ocr.pages import open_pages
    from serving.ocr.refusal import PageRefused

    found = []
    try:
        for page in open_pages(data, name):
            out = io.BytesIO()
            Image.fromarray(page.image).save(out, "PNG", compress_level=1)
            found.append((out.getvalue(), "image/png"))
    except PageRefused as error:
        raise Problem(422, str(error)) from None
    return found


def _kept(parts: Services, context: Context, pictures: list[tuple[bytes, str]]) -> list[PageImage]:
    kept = []
    for number, (data, media_type) in enumerate(pictures, 1):
        made = parts.store.attachments.add(context, read(data, media_type), page=number)
        if isinstance(made, PageImage):
            kept.append(made)
    return kept
