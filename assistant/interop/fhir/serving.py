"""``/fhir``: drafts, signed texts, where they come from, and the audit, for FHIR R4 clients.

Read only.  A draft is seen in its patient's context alone, as everywhere: the patient is named by
``X-Patient-Id`` or by the search parameter ``patient``.  Errors are OperationOutcomes.
"""

from __future__ import annotations

import asyncio
import re
from importlib.metadata import version
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request

from assistant.api.context import ActorDep, Services, ServicesDep
from assistant.api.problems import Problem
from assistant.interop.fhir.answers import ERRORS, FhirResponse, FhirRoute
from assistant.interop.fhir.outgoing.audit_event import audit_event
from assistant.interop.fhir.outgoing.capability import (
    AUDIT_PARAMETERS,
    DRAFT_PARAMETERS,
    SERVED,
    capability,
)
from assistant.interop.fhir.outgoing.composition import composition
from assistant.interop.fhir.outgoing.document import document
from assistant.interop.fhir.outgoing.impression import conditions, impression
from assistant.interop.fhir.outgoing.kept import Kept
from assistant.interop.fhir.outgoing.outcome import outcome
from assistant.interop.fhir.outgoing.provenance import provenance
from assistant.interop.fhir.terminology import Resource
from assistant.review.review import Review
from assistant.store import Context, DraftNotFound, DraftRow
from assistant.store.applications import applications
from assistant.work.roles import ASK_ROLES, OVERSIGHT_ROLES

MOST_PER_PAGE = 100
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_GENERAL = frozenset({"_format", "_pretty", "_count", "before"})
_CONDITION = re.compile(r"(.{36})-\d{1,3}")


router = APIRouter(
    prefix="/fhir",
    tags=["FHIR 互联"],
    route_class=FhirRoute,
    default_response_class=FhirResponse,
    responses=ERRORS,
)


@router.get("/metadata")
async def metadata(request: Request) -> FhirResponse:
    """What is served here; open to all, as the specification asks."""
    return FhirResponse(capability(version("bedside"), _base(request)))


async def _patient(request: Request, who: ActorDep) -> Context:
    """The patient's context of the call.  403, 400 and 409 as a problem."""
    if who.role not in ASK_ROLES:
        raise Problem(403, "该角色不能查看病历。(Needs a clinical role or role system.)")
    header = request.headers.get("x-patient-id", "")
    asked = _bare(request.query_params.get("patient", ""), "Patient")
    if header and asked and header != asked:
        raise Problem(409, "X-Patient-Id 与 patient 不一致。(The two name different patients.)")
    patient = header or asked
    if not _ID.fullmatch(patient):
        raise Problem(
            400, "请以 X-Patient-Id 或 patient 指明患者。(Name the patient in one of the two.)"
        )
    header = request.headers.get("x-encounter-id", "")
    asked = _bare(request.query_params.get("encounter", ""), "Encounter")
    if header and asked and header != asked:
        raise Problem(409, "X-Encounter-Id 与 encounter 不一致。(The two name different stays.)")
    stay = header or asked
    if stay and not _ID.fullmatch(stay):
        raise Problem(400, "encounter 不是有效的编号。(The encounter is no valid id.)")
    return Context(who.id, who.role, patient, stay)


ContextDep = Annotated[Context, Depends(_patient)]


async def _overseer(who: ActorDep) -> Context:
    if who.role not in OVERSIGHT_ROLES:
        raise Problem(403, "只有审计员或管理员可以查看审计。(Needs role auditor or admin.)")
    return Context.operator(who.id, who.role)


OverseerDep = Annotated[Context, Depends(_overseer)]


@router.get("/AuditEvent")
async def search_audit(
    request: Request,
    parts: ServicesDep,
    operator: OverseerDep,
    patient: Annotated[str, Query(max_length=80)] = "",
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    count: Annotated[int, Query(alias="_count", ge=1, le=MOST_PER_PAGE)] = 50,
    identifier: Annotated[int | None, Query(alias="_id", ge=1, le=2**53)] = None,
) -> FhirResponse:
    """The newest rows of the audit first; reading them is itself in it."""
    _check(request, AUDIT_PARAMETERS)
    start, most = (identifier + 1, 1) if identifier is not None else (before, count)

    def work() -> list[Resource]:
        parts.store.audit.record(operator, "audit.list", "audit")
        rows = parts.store.audit.list(
            patient_id=_bare(patient, "Patient") or None, before_seq=start, limit=most
        )
        return [
            audit_event(row, application)
            for row, application in zip(rows, applications(parts.store.database, rows), strict=True)
            if identifier is None or row.seq == identifier
        ]

    found = await asyncio.to_thread(work)
    more = found[-1]["id"] if identifier is None and len(found) == count else None
    return FhirResponse(_searchset(request, found, more))


@router.get("/AuditEvent/{identifier}")
async def read_audit(identifier: str, parts: ServicesDep, operator: OverseerDep) -> FhirResponse:
    """One row of the audit, by its number."""
    if not re.fullmatch(r"[1-9]\d{0,15}", identifier):
        raise Problem(404, "没有这条审计。(No such row.)")

    def work() -> Resource | None:
        parts.store.audit.record(operator, "audit.list", "audit")
        rows = parts.store.audit.list(before_seq=int(identifier) + 1, limit=1)
        found = [row for row in rows if row.seq == int(identifier)]
        return audit_event(found[0], *applications(parts.store.database, found)) if found else None

    event = await asyncio.to_thread(work)
    if event is None:
        raise Problem(404, "没有这条审计。(No such row.)")
    return FhirResponse(event)


@router.get("/{kind}")
async def search(
    kind: str,
    request: Request,
    parts: ServicesDep,
    context: ContextDep,
    before: Annotated[str | None, Query(max_length=64)] = None,
    count: Annotated[int, Query(alias="_count", ge=1, le=MOST_PER_PAGE)] = 20,
    identifier: Annotated[str, Query(alias="_id", max_length=64)] = "",
) -> FhirResponse:
    """The resources of this type that the patient's drafts make, newest first."""
    _served(kind)
    _check(request, DRAFT_PARAMETERS)

    def work() -> tuple[list[Resource], str | None]:
        if identifier:
            try:
                rows = [parts.store.drafts.get(context, _draft_id(kind, identifier))]
            except DraftNotFound:
                rows = []
            found = [r for row in rows for r in _resources(kind, row, parts, context)]
            return [r for r in found if r["id"] == identifier], None
        listed = parts.store.drafts.list(context, None, before=before, limit=count)
        made = [r for row in listed for r in _resources(kind, row, parts, context)]
        return made, listed[-1].id if len(listed) == count else None

    found, more = await asyncio.to_thread(work)
    bundle = _searchset(request, found, more)
    if not context.encounter_id:
        said = (
            "未指明就诊：只列出不属于任何就诊的草稿，请加 encounter。"
            "(No stay is named: drafts of a stay are listed with its encounter.)"
        )
        hint = outcome(200, said)
        hint["issue"][0] |= {"severity": "information", "code": "informational"}
        entries = bundle.setdefault("entry", [])
        entries.append({"resource": hint, "search": {"mode": "outcome"}})
    return FhirResponse(bundle)


@router.get("/{kind}/{identifier}")
async def read(kind: str, identifier: str, parts: ServicesDep, context: ContextDep) -> FhirResponse:
    """One resource; 404 in any other patient's context."""
    _served(kind)

    def work() -> Resource | None:
        row = parts.store.drafts.get(context, _draft_id(kind, identifier))
        found = _resources(kind, row, parts, context)
        return next((r for r in found if r["id"] == identifier), None)

    resource = await asyncio.to_thread(work)
    if resource is None:
        raise DraftNotFound
    return FhirResponse(resource)


@router.api_route(
    "/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False
)
async def unknown(rest: str, request: Request) -> FhirResponse:
    """What is not served."""
    if request.method != "GET":
        raise Problem(405, "此处只读，见 /fhir/metadata。(Read only; see /fhir/metadata.)")
    raise Problem(404, "没有这个地址，见 /fhir/metadata。(No such address; see /fhir/metadata.)")


def _resources(kind: str, row: DraftRow, parts: Services, context: Context) -> list[Resource]:
    """The resources of one type that a draft makes; none where it has no statements."""
    draft = parts.tasks.draft(row.content["draft"])
    task = parts.tasks.of_draft(draft.kind)
    if task is None or not task.reviewed or not isinstance(draft, task.draft):
        return []
    resolutions = Review(parts.store, context, parts.tasks).resolutions(row.id)
    kept = Kept(row, draft, task.title.zh, resolutions, parts.settings.fhir.server)
    match kind:
        case "Composition":
            return [composition(kept)]
        case "DocumentReference":
            return [document(kept)]
        case "Condition":
            return conditions(kept)
        case "ClinicalImpression":
            found = impression(kept)
            return [] if found is None else [found]
    request = parts.store.requests.get(context, row.request_id)
    return [provenance(kept, request.actor_id, request.source, version("bedside"))]


def _served(kind: str) -> None:
    if kind not in SERVED:
        raise Problem(404, "不提供这类资源，见 /fhir/metadata。(Not served; see /fhir/metadata.)")


def _draft_id(kind: str, identifier: str) -> str:
    if kind != "Condition":
        return identifier
    found = _CONDITION.fullmatch(identifier)
    return found[1] if found else ""


def _check(request: Request, known: tuple[str, ...]) -> None:
    """Refuse what would be ignored: the answer would hold more than was asked for."""
    unknown = set(request.query_params) - set(known) - _GENERAL
    if unknown:
        raise Problem(
            400,
            "有不支持的检索参数，支持的见 /fhir/metadata。"
            "(A search parameter is not supported; see /fhir/metadata.)",
        )


def _bare(value: str, kind: str) -> str:
    """The id of ``Patient/p1`` or ``https://any/Patient/p1``."""
    head, _, identifier = value.rpartition("/")
    return identifier if not head or head.rpartition("/")[2] == kind else ""


def _base(request: Request) -> str:
    return f"{str(request.base_url).rstrip('/')}/fhir"


def _searchset(request: Request, found: list[Resource], more: str | None) -> Resource:
    base = _base(request)
    links = [{"relation": "self", "url": str(request.url)}]
    if more is not None:
        query = {**request.query_params, "before": more}
        links.append(
            {
                "relation": "next",
                "url": f"{str(request.url).partition('?')[0]}?{urlencode(query)}",
            }
        )
    made: Resource = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if found:
        made["entry"] = [
            {
                "fullUrl": f"{base}/{r['resourceType']}/{r['id']}",
                "resource": r,
                "search": {"mode": "match"},
            }
            for r in found
        ]
    if more is None and "before" not in request.query_params:
        made["total"] = len(found)
    return made
