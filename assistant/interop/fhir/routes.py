"""``/v1/fhir``: records that come in as FHIR R4 resources."""

from __future__ import annotations

import asyncio
import hashlib
import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Header, Query, Request
from pydantic import BaseModel, Field

from assistant.api.context import (
    ID_PATTERN,
    Actor,
    ClinicianDep,
    Services,
    ServicesDep,
    check_header,
)
from assistant.api.problems import Problem, documented
from assistant.interop.arrival import taker
from assistant.interop.fhir.body import BodyInvalid, parsed, written
from assistant.interop.fhir.incoming import Incoming, IncomingRefused, read_resources
from assistant.interop.fhir.mapping import OWN_FILE, Mapping, MappingInvalid, load
from assistant.interop.fhir.notification import (
    NotificationInvalid,
    StayResources,
    changed_at,
    notification,
    stays,
)
from assistant.interop.fhir.searching import Limits, Search, ServerFailed
from assistant.interop.handing import FHIR, hand_on
from assistant.record.fields import ZONE
from assistant.store import Context
from assistant.store.messages import NewMessage

PATH = "/v1/fhir/encounters"
NOTIFICATIONS = "/v1/fhir/notifications"
_ID = re.compile(ID_PATTERN)
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


class Received(BaseModel):
    """What became of a notification."""

    kept: int = Field(description="Stays whose resources were kept.")
    again: int = Field(default=0, description="Of these, notifications that had come before.")


@router.post("/notifications", responses=documented(409, 503), openapi_extra=_BODY)
async def notified(
    request: Request, parts: ServicesDep, who: ClinicianDep, after: BackgroundTasks
) -> Received:
    """A notification of a Subscription with its payload: a resource (R4 rest-hook), or a Bundle
    whose first entry is the subscription's status (R5 backport).

    The resources are on the disk when this answers, and become record events after.
    """
    body = await request.body()
    try:
        found = notification(parsed(body))
    except (BodyInvalid, NotificationInvalid) as error:
        raise Problem(422, str(error)) from error
    if found.kind != "event-notification":
        return Received(kept=0)
    groups = [s for s in stays(found.resources) if _ID.fullmatch(s.patient_id)]
    if not groups:
        raise Problem(
            422,
            "通知中没有写明患者的资源：请让订阅带上资源内容（payload）。"
            "(No resource names a patient: have the subscription send its payload.)",
        )
    received = await asyncio.to_thread(_keep, parts, who, body, groups)
    after.add_task(hand_on, parts.store, taker(parts.settings, parts.store), mapping_of(parts))
    return received


@router.put("/notifications/{kind}/{identifier}", responses=documented(409, 503))
async def notified_by_update(
    kind: str,
    identifier: str,
    request: Request,
    parts: ServicesDep,
    who: ClinicianDep,
    after: BackgroundTasks,
) -> Received:
    """The same as R4 sends it: the changed resource as an update below the endpoint."""
    return await notified(request, parts, who, after)


def _keep(parts: Services, who: Actor, body: bytes, groups: list[StayResources]) -> Received:
    """Keep each stay's resources as a message."""
    again = 0
    for stay in groups:
        content = written(stay.resources)
        digest = hashlib.sha256(content.encode()).hexdigest()
        encounter = stay.encounter_id if _ID.fullmatch(stay.encounter_id) else ""
        message = NewMessage(
            sender=who.source[:128],
            control_id=digest,
            stamp="",
            kind=FHIR,
            happened_at=changed_at(stay.resources) or datetime.now(ZONE),
            content=content,
            compared=content,
        )
        context = Context(who.id, who.role, stay.patient_id, encounter)
        again += not parts.store.messages.keep(context, message)[1]
    return Received(kept=len(groups), again=again)


def _read(resources: list[Any], patient_id: str, encounter_id: str, parts: Services) -> Incoming:
    try:
        return read_resources(resources, patient_id, encounter_id, mapping_of(parts))
    except IncomingRefused as error:
        raise Problem(422, str(error)) from error


def _note(parts: Services, actor_id: str, role: str, found: Incoming, action: str) -> None:
    context = Context(actor_id, role, found.encounter.patient.id, found.encounter.id)
    parts.store.audit.record(context, action, "encounter")
