"""``/v1/imaging-releases``: which imaging tasks' results may be filled in, and who said so."""

from __future__ import annotations

import asyncio
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field

from assistant.api.context import ActorDep, Services, ServicesDep
from assistant.api.problems import documented

router = APIRouter(prefix="/v1/imaging-releases", tags=["imaging releases 影像结果回填"])


class ReleaseShown(BaseModel):
    """One imaging task.  Off until somebody switches it on by ``bedside imaging-release``."""

    kind: str
    title: str
    is_on: bool
    switched_by: str = Field("", description="By name; empty where it is off.")
    reason: str = ""
    created_at: datetime | None = None


def releases(parts: Services) -> list[ReleaseShown]:
    """Every imaging task of this installation."""
    found = []
    for task in parts.tasks:
        if not task.released:
            continue
        given = parts.store.releases.get(task.kind)
        said = {} if given is None else {name: getattr(given, name) for name in given.__slots__}
        found.append(
            ReleaseShown.model_validate(
                {"is_on": False} | said | {"kind": task.kind, "title": task.title.zh}
            )
        )
    return found


@router.get("", responses=documented(503))
async def listing(parts: ServicesDep, who: ActorDep) -> list[ReleaseShown]:
    """The imaging tasks, each on or off."""
    return await asyncio.to_thread(releases, parts)
