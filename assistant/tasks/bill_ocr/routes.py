"""``/v1/bills``: the archive, and of one bill: read, correct, export, observations.

A bill has the id of its draft.  Without ``X-Patient-Id`` the archive of all patients is open to
the roles admin and auditor.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from assistant.api.context import (
    ID_PATTERN,
    ActorDep,
    PatientDep,
    Services,
    ServicesDep,
)
from assistant.api.problems import Problem, documented
from assistant.record.attachment import PageImage
from assistant.store import Context
from assistant.store.bills import EVERY_PATIENT, Wanted
from assistant.store.models.bill import BillRow
from assistant.tasks.bill_ocr import claim
from assistant.tasks.bill_ocr.corrections import Bill, Desk, Saving
from assistant.tasks.bill_ocr.document import DocumentKind
from assistant.tasks.bill_ocr.observing import ObservedResult, observed
from assistant.tasks.bill_ocr.results import PatientResults, patient_results
from assistant.tasks.bill_ocr.uploading import BY_TYPE, kept_pages
from assistant.work.roles import ASK_ROLES

Form = Literal["json", "csv", "fhir", "claim", "invoice", "insurer"]
_FHIR = "application/fhir+json"
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {"requestBody": {"required": True, "content": dict.fromkeys(BY_TYPE, _BINARY)}}
_DAY = r"^\d{4}-\d{2}-\d{2}$"


class ArchivedBill(BaseModel):
    """A line of the archive; ``text`` is not repeated."""

    id: str
    patient_id: str
    encounter_id: str
    kind: str
    hospital: str
    number: str
    issued_on: str
    total: str
    version: int
    accepted: bool
    created_at: datetime


class Archived(BaseModel):
    """One page of what was found, newest first; the next is ``before`` the last id."""

    bills: list[ArchivedBill]


class Revision(BaseModel):
    """One cell that somebody changed."""

    version: int
    path: str
    old: str
    new: str
    actor_id: str
    actor_role: str
    created_at: datetime


async def archive_context(
    who: ActorDep,
    x_patient_id: Annotated[str, Header(pattern=rf"^$|{ID_PATTERN}")] = "",
    x_encounter_id: Annotated[str, Header(pattern=rf"^$|{ID_PATTERN}")] = "",
) -> Context:
    """Whose bills are looked for.  403 where the role may not."""
    if who.role in EVERY_PATIENT and not x_patient_id:
        return Context(who.id, who.role, "")
    if who.role not in ASK_ROLES:
        raise Problem(403, "该角色不能查看病历。(Needs a clinical role or role system.)")
    if not x_patient_id:
        raise Problem(
            403, "请用 X-Patient-Id 指明患者；跨患者检索须管理员或审计员。(Name the patient.)"
        )
    return Context(who.id, who.role, x_patient_id, x_encounter_id)


ArchiveDep = Annotated[Context, Depends(archive_context)]


def desk(parts: Services) -> Desk:
    """Where bills are opened and saved."""
    return Desk(parts.store, parts.settings.home)


def line(row: BillRow) -> ArchivedBill:
    """A row of the archive without its content."""
    total = "" if row.total_cents is None else f"{Decimal(row.total_cents) / 100:.2f}"
    return ArchivedBill(
        id=row.id,
        patient_id=row.patient_id,
        encounter_id=row.encounter_id,
        kind=row.kind,
        hospital=row.hospital,
        number=row.number,
        issued_on=row.issued_on,
        total=total,
        version=row.version,
        accepted=row.accepted_at is not None,
        created_at=row.created_at,
    )


async def exported(parts: Services, context: Context, bill_id: str, form: Form) -> Response:
    """A bill in one of its forms.  404 where an insurer's form is not set up."""
    bill = await asyncio.to_thread(desk(parts).open, context, bill_id)
    document, patient = bill.document, context.patient_id
    match form:
        case "csv":
            return Response(claim.items_csv(document), media_type="text/csv; charset=utf-8")
        case "fhir":
            content = claim.bundle(document, patient, bill_id)
            return JSONResponse(content, media_type=_FHIR)
        case "claim":
            return JSONResponse(claim.claim(document, patient, bill_id), media_type=_FHIR)
        case "invoice":
            return JSONResponse(claim.invoice(document, patient, bill_id), media_type=_FHIR)
        case "insurer":
            return await asyncio.to_thread(_insurer, parts, bill, patient)
        case _:
            return Response(document.model_dump_json(indent=1), media_type="application/json")


def _insurer(parts: Services, bill: Bill, patient: str) -> Response:
    path = parts.settings.home / claim.MAPPING_NAME
    if not path.exists():
        raise Problem(
            404, f"没有医保方的映射文件 {claim.MAPPING_NAME}。(No mapping of the insurer's form.)"
        )
    try:
        form = claim.read_mapping(path)
    except claim.MappingError as error:
        raise Problem(503, str(error)) from None
    rows = claim.mapped(bill.document, form, patient)
    if form.form == "json":
        return JSONResponse(rows)
    text = claim.mapped_csv(rows, list(form.fields))
    return Response(text, media_type="text/csv; charset=utf-8")


def add(router: APIRouter) -> None:
    """Add them to the task's routes."""

    @router.get("", responses=documented())
    async def archive(
        parts: ServicesDep,
        context: ArchiveDep,
        hospital: Annotated[str, Query(max_length=100)] = "",
        item: Annotated[str, Query(max_length=100, description="A part of an item's name.")] = "",
        text: Annotated[str, Query(max_length=100, description="Words on the pages.")] = "",
        number: Annotated[str, Query(max_length=64)] = "",
        kind: DocumentKind | None = None,
        low: Annotated[Decimal | None, Query(description="Least total.", ge=-(10**12))] = None,
        high: Annotated[Decimal | None, Query(description="Most total.", le=10**12)] = None,
        since: Annotated[str, Query(pattern=_DAY)] = "",
        until: Annotated[str, Query(pattern=_DAY)] = "",
        accepted: bool | None = None,
        before: str | None = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> Archived:
        """The archive: bills of this patient that are as wanted, newest first."""
        wanted = Wanted(
            hospital=hospital,
            item=item,
            text=text,
            number=number,
            kind=kind.value if kind is not None else "",
            low_cents=None if low is None else int(low * 100),
            high_cents=None if high is None else int(high * 100),
            since=since,
            until=until,
            accepted=accepted,
        )
        found = await asyncio.to_thread(
            search, desk(parts), context, wanted, before=before, limit=limit
        )
        return Archived(bills=found)

    @router.get("/documents/{bill_id}", responses=documented(404))
    async def read_bill(bill_id: str, parts: ServicesDep, context: PatientDep) -> Bill:
        """A bill as it stands now, with its version."""
        return await asyncio.to_thread(desk(parts).open, context, bill_id)

    @router.post("/documents/{bill_id}", responses=documented(404, 409))
    async def correct(bill_id: str, body: Saving, parts: ServicesDep, context: PatientDep) -> Bill:
        """Save corrections; 409 where somebody else has saved since ``version``."""
        return await asyncio.to_thread(desk(parts).save, context, bill_id, body)

    @router.get("/documents/{bill_id}/corrections", responses=documented(404))
    async def history(bill_id: str, parts: ServicesDep, context: PatientDep) -> list[Revision]:
        """What was changed, by whom and when, oldest first."""
        rows = await asyncio.to_thread(parts.store.bills.corrections, context, bill_id)
        return [Revision.model_validate(row, from_attributes=True) for row in rows]

    @router.get(
        "/documents/{bill_id}/export",
        responses=documented(404) | {200: {"content": {_FHIR: {}, "text/csv": {}}}},
        response_class=Response,
    )
    async def export(
        bill_id: str,
        parts: ServicesDep,
        context: PatientDep,
        form: Annotated[Form, Query(alias="format")] = "json",
    ) -> Response:
        """JSON, CSV of the items, FHIR R4, or the insurer's own form."""
        return await exported(parts, context, bill_id, form)

    @router.get("/documents/{bill_id}/observations", responses=documented(404, 409))
    async def observations(
        bill_id: str, parts: ServicesDep, context: PatientDep
    ) -> list[ObservedResult]:
        """The results of a laboratory sheet for the record; 409 before somebody has accepted it."""
        bill = await asyncio.to_thread(desk(parts).open, context, bill_id)
        if not bill.accepted_by:
            raise Problem(409, "化验单尚未确认。(Nobody has accepted this sheet yet.)")
        return observed(bill.document, bill.id, bill.attachments)

    @router.get("/patient/observations", responses=documented())
    async def results(parts: ServicesDep, context: PatientDep) -> PatientResults:
        """All results of the patient's accepted laboratory sheets, their courses, and a note for
        other tasks whose lines lead to boxes on the pages."""
        return await asyncio.to_thread(patient_results, parts.store.bills, context)

    @router.post(
        "/files", status_code=201, responses=documented(413, 415, 422), openapi_extra=_FILE
    )
    async def upload(
        request: Request,
        parts: ServicesDep,
        context: PatientDep,
        content_type: Annotated[str, Header()] = "",
    ) -> list[PageImage]:
        """Keep the pages of a file (PDF, TIFF, HEIC, JPEG, PNG) as attachments of the patient, in
        their order, as ``POST /v1/bills`` takes them.  The file is opened in a process that reaches
        neither other files nor the network."""
        suffix = BY_TYPE.get(content_type.partition(";")[0].strip().lower())
        if suffix is None:
            raise Problem(415, f"票据文件须为 {'、'.join(BY_TYPE)}。(One of these media types.)")
        data = await request.body()
        return await asyncio.to_thread(kept_pages, parts, context, f"file{suffix}", data)


def search(
    at: Desk, context: Context, wanted: Wanted, *, before: str | None = None, limit: int = 50
) -> list[ArchivedBill]:
    """What was found; readings that nobody has opened are filed first."""
    at.file_new()
    rows = at.store.bills.search(context, wanted, before=before, limit=limit)
    return [line(row) for row in rows]
