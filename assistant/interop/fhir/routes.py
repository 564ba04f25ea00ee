"""``/v1/fhir``: records that come in as FHIR R4 resources."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request

from assistant.api.context import ID_PATTERN, ClinicianDep, Services, ServicesDep, check_header
from assistant.api.problems import Problem, documented
from assistant.interop.fhir.body import BodyInvalid, parsed
from assistant.interop.fhir.incoming import Incoming, IncomingRefused, read_resources
from assistant.interop.fhir.mapping import OWN_FILE, Mapping, MappingInvalid, load
from assistant.interop.fhir.searching import Limits, Search, ServerFailed
from assistant.store import Context

PATH = "/v1/fhir/encounters"
router = APIRouter(prefix="/v1/fhir", tags=["FHIR 互联"])

_BUNDLE = {"schema": {"type": "object", "description": "A FHIR R4 Bundle, or one resource."}}
_BODY = {
    "requestBody": {
        "required": True,
        "content": dict.fromkeys(("application/fhir+json", "application/json"), _BUNDLE),
    }
}


def mapping_of(parts: Services) -> Mapping:
    """The table with the hospital's own rows; read anew, so that a change counts at once.

    Raises `Problem` (503) where the hospital's file cannot be used.
    """
    try:
        return load(parts.settings.home / OWN_FILE)
    except MappingInvalid as error:
        raise Problem(503, str(error)) from error


@router.post("/encounters", responses=documented(409, 503), openapi_extra=_BODY)
async def read_bundle(
    request: Request,
    parts: ServicesDep,
    who: ClinicianDep,
    patient_id: Annotated[
        str, Query(pattern=rf"^$|{ID_PATTERN}", description="Empty: the only Patient of it.")
    ] = "",
    encounter_id: Annotated[
        str, Query(pattern=rf"^$|{ID_PATTERN}", description="Empty: the only Encounter of it.")
    ] = "",
    x_patient_id: Annotated[str | None, Header()] = None,
) -> Incoming:
    """A Bundle as the encounter that the tasks take, and what of it was left out and why.

    Nothing is kept.  422 where it is not clear whose record or which stay it is.
    """
    body = await request.body()

    def work() -> Incoming:
        return _read([parsed(body)], patient_id or x_patient_id or "", encounter_id, parts)

    try:
        found = await asyncio.to_thread(work)
    except BodyInvalid as error:
        raise Problem(422, str(error)) from error
    check_header(x_patient_id, found.encounter.patient.id)
    await asyncio.to_thread(_note, parts, who.id, who.role, found, "fhir.read")
    return found


@router.get("/encounters/{encounter_id}", responses=documented(404, 503))
async def read_from_server(
    encounter_id: str,
    parts: ServicesDep,
    who: ClinicianDep,
    x_patient_id: Annotated[str, Header(pattern=ID_PATTERN)],
) -> Incoming:
    """The same, read from the hospital's FHIR server (`fhir.server`)."""
    settings = parts.settings.fhir
    if not settings.server:
        raise Problem(404, "没有设置 FHIR 服务器（fhir.server）。(No FHIR server is set.)")
    search = Search(
        settings.server,
        settings.token.get_secret_value(),
        Limits(pages=settings.pages, seconds=settings.seconds),
    )
    try:
        await search.record(x_patient_id, encounter_id)
    except ServerFailed as error:
        raise Problem(503, str(error)) from error
    found = await asyncio.to_thread(_read, search.resources, x_patient_id, encounter_id, parts)
    found.problems.extend(search.problems.all())
    await asyncio.to_thread(_note, parts, who.id, who.role, found, "fhir.fetch")
    return found


def _read(resources: list[Any], patient_id: str, encounter_id: str, parts: Services) -> Incoming:
    try:
        return read_resources(resources, patient_id, encounter_id, mapping_of(parts))
    except IncomingRefused as error:
        raise Problem(422, str(error)) from error


def _note(parts: Services, actor_id: str, role: str, found: Incoming, action: str) -> None:
    context = Context(actor_id, role, found.encounter.patient.id, found.encounter.id)
    parts.store.audit.record(context, action, "encounter")
