"""``/v1/events``: what happened to a record."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Header
from pydantic import BaseModel

from assistant.api.context import ID_PATTERN, ClinicianDep, ServicesDep, check_header
from assistant.api.problems import Problem, documented
from assistant.interop.events.desk import receive, rules_of, tended
from assistant.interop.events.event import RecordEvent
from assistant.interop.events.rule import EventRulesInvalid
from assistant.store import Context


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    async with tended(app.state.services):
        yield


router = APIRouter(prefix="/v1/events", tags=["events 病历事件"], lifespan=_lifespan)


class WorkShown(BaseModel):
    """What a rule makes of the event: ``waiting`` until it is due, then ``made``."""

    rule: str
    kind: str
    status: str
    due_at: datetime
    request_id: str | None


class SkippedShown(BaseModel):
    """What a rule wants and is not begun."""

    rule: str
    kind: str
    reason: str


class EventKept(BaseModel):
    """The event as it is kept; ``new``: it came for the first time."""

    id: str
    event_id: str
    new: bool
    work: list[WorkShown]
    skipped: list[SkippedShown]


@router.post("", responses=documented(409, 503), status_code=202)
async def create(
    body: RecordEvent,
    parts: ServicesDep,
    who: ClinicianDep,
    x_patient_id: Annotated[str | None, Header(pattern=ID_PATTERN)] = None,
) -> EventKept:
    """Keep an event; drafts are begun by the rules, each once.  The same id is the same event."""
    encounter = body.encounter
    check_header(x_patient_id, encounter.patient.id)
    context = Context(who.id, who.role, encounter.patient.id, encounter.id)
    try:
        received, skipped = await receive(parts, context, who.source, body)
    except EventRulesInvalid as error:
        raise Problem(503, str(error)) from error
    return EventKept(
        id=received.event.id,
        event_id=received.event.key,
        new=received.is_new,
        work=[
            WorkShown(
                rule=row.rule,
                kind=row.kind,
                status=row.status,
                due_at=row.due_at,
                request_id=row.request_id,
            )
            for row in received.work
        ],
        skipped=[SkippedShown(rule=one.rule, kind=one.kind, reason=one.reason) for one in skipped],
    )


@router.get("/rules", responses=documented(503))
async def rules(parts: ServicesDep, who: ClinicianDep) -> list[dict[str, Any]]:
    """The rules in force."""
    try:
        return [rule.model_dump(mode="json") for rule in rules_of(parts.settings.home)]
    except EventRulesInvalid as error:
        raise Problem(503, str(error)) from error
