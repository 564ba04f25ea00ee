"""``/v1/audit``: who did what, for auditors; ids and keyed hashes only."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from assistant.api.context import OversightDep, ServicesDep
from assistant.api.problems import documented
from assistant.store import Context

router = APIRouter(prefix="/v1/audit", tags=["audit 审计"])


class AuditShown(BaseModel):
    """One row of the chain."""

    seq: int
    at: str
    actor_id: str
    actor_role: str
    action: str
    object_type: str
    object_id: str
    patient_ref: str
    encounter_ref: str
    content_ref: str
    hash: str


class AuditVerification(BaseModel):
    """Whether the chain is as it was written."""

    ok: bool
    rows: int
    first_bad_seq: int | None
    reason: str


@router.get("", responses=documented(403))
async def listing(
    parts: ServicesDep,
    who: OversightDep,
    patient_id: Annotated[str | None, Query(max_length=64)] = None,
    before_seq: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[AuditShown]:
    """The newest rows first.  Reading the log is itself in the log."""
    operator = Context.operator(who.id, who.role)
    await asyncio.to_thread(parts.store.audit.record, operator, "audit.list", "audit")
    rows = await asyncio.to_thread(
        parts.store.audit.list, patient_id=patient_id, before_seq=before_seq, limit=limit
    )
    return [AuditShown.model_validate(row, from_attributes=True) for row in rows]


@router.get("/verification", responses=documented(403))
async def verification(parts: ServicesDep, who: OversightDep) -> AuditVerification:
    """Walk the whole chain."""
    report = await asyncio.to_thread(parts.store.audit.verify)
    return AuditVerification.model_validate(report, from_attributes=True)
