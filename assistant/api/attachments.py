"""``/v1/attachments``: pages and series of a patient, uploaded as they are and read again."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, Field

from assistant.api.context import PatientDep, ServicesDep
from assistant.api.problems import documented
from assistant.record.attachment import DICOM, MAX_PAGE, MEDIA_TYPES, Attachment
from assistant.record.attachment_content import MediaTypeRefused, read

PATH = "/v1/attachments"
router = APIRouter(prefix=PATH, tags=["attachments 附件"])

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(MEDIA_TYPES, _BINARY),
    }
}
_HEADERS = {
    # Whatever a file claims to be, a browser shows a picture or offers to save it.
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "no-store",
}


class Files(BaseModel):
    """The files of an attachment."""

    names: list[str] = Field(description="The page's number, or the UIDs of the instances.")


@router.post("", status_code=201, responses=documented(409, 413, 415), openapi_extra=_BODY)
async def upload(
    request: Request,
    parts: ServicesDep,
    context: PatientDep,
    content_type: Annotated[str, Header()] = "",
    page: Annotated[int, Query(ge=1, le=MAX_PAGE, description="Of a page image.")] = 1,
) -> Attachment:
    """Keep the body: a page image, or one instance of a DICOM series.

    Instances of one series, posted one by one, make one attachment.  The same content again gives
    the attachment that is there.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type not in MEDIA_TYPES:
        raise MediaTypeRefused
    data = await request.body()
    content = await asyncio.to_thread(read, data, media_type)
    return await asyncio.to_thread(parts.store.attachments.add, context, content, page=page)


@router.get("", responses=documented())
async def listing(
    parts: ServicesDep, context: PatientDep, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[Attachment]:
    """This patient's attachments, newest first."""
    return list(await asyncio.to_thread(parts.store.attachments.list, context, limit))


@router.get("/{attachment_id}", responses=documented(404))
async def one(attachment_id: str, parts: ServicesDep, context: PatientDep) -> Attachment:
    """One attachment; 404 in any other patient's context."""
    return await asyncio.to_thread(parts.store.attachments.get, context, attachment_id)


@router.get("/{attachment_id}/files", responses=documented(404))
async def files(attachment_id: str, parts: ServicesDep, context: PatientDep) -> Files:
    """The names under which its contents are read."""
    names = await asyncio.to_thread(parts.store.attachments.files, context, attachment_id)
    return Files(names=list(names))


@router.get(
    "/{attachment_id}/content",
    response_class=Response,
    responses={**documented(404), 200: {"content": dict.fromkeys(MEDIA_TYPES, _BINARY)}},
)
async def content(
    attachment_id: str,
    parts: ServicesDep,
    context: PatientDep,
    name: Annotated[str | None, Query(max_length=64, description="Of a file of a series.")] = None,
) -> Response:
    """The file as it was uploaded; of a series, the instance with this UID."""
    data, media_type = await asyncio.to_thread(
        parts.store.attachments.content, context, attachment_id, name
    )
    headers = _HEADERS | ({"Content-Disposition": "attachment"} if media_type == DICOM else {})
    return Response(data, media_type=media_type, headers=headers)
