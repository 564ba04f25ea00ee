"""``/v1/approvals``: what was approved for clinical use, by whom, and what it holds for now."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import ActorDep, ServicesDep
from assistant.api.problems import documented

router = APIRouter(prefix="/v1/approvals", tags=["approvals 批准"])


class ApprovalStep(BaseModel):
    """That an approval was returned because a floor broke, or given again by a person."""

    model_config = ConfigDict(from_attributes=True)

    step: str
    by: str
    reason: str
    figures: dict[str, Any]
    created_at: datetime


class ApprovalShown(BaseModel):
    """One approval.  ``holds_for`` are the engines that it covers as they run now.

    ``problem`` says why it can hold for none any more and must be given again.
    """

    id: str
    engine: str
    model: str
    engine_kind: str
    files_sha256: str
    precision: str
    kv_cache: str
    options: dict[str, str] | None = Field(
        description="What else the engine ran with; null in an approval from before it was kept."
    )
    prompts: dict[str, str] = Field(description="Name → SHA-256.")
    run: str
    kind: str = Field(description="The kind of the run: a track, or a clinical evaluation.")
    scores: dict[str, float]
    gate: str
    hashes: dict[str, str] = Field(description="SHA-256 of the run's model, data, prompts, …")
    approved_by: str
    note: str
    created_at: datetime
    revoked_by: str
    revocation_reason: str
    revoked_at: datetime | None
    holds_for: list[str]
    problem: str
    steps: list[ApprovalStep] = Field(
        description="Returns by monitoring (step `returned`) and what ended them (`reinstated`)."
    )


@router.get("", responses=documented(503))
async def listing(
    parts: ServicesDep, who: ActorDep, limit: Annotated[int, Query(ge=1, le=500)] = 100
) -> list[ApprovalShown]:
    """The newest first, revoked ones included."""
    status = parts.approvals
    await status.refresh()
    found = await asyncio.to_thread(parts.store.approvals.list, limit)
    return [
        ApprovalShown.model_validate(
            {
                name: getattr(approval, name)
                for name in ApprovalShown.model_fields
                if hasattr(approval, name)
            }
            | {
                # Where the run lies on this machine is nobody's business outside.
                "run": str(approval.evidence.get("name", "")),
                "kind": str(approval.evidence.get("kind", "")),
                "hashes": approval.evidence.get("hashes", {}),
                "holds_for": status.engines_of(approval.id),
            }
        )
        for approval in found
    ]
