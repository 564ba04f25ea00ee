"""``/v1/engines/{engine}/replicas``: the servers or processes of one engine, and their drain."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from assistant.api.context import Actor, ActorDep, OversightDep, Services, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.store import Context
from serving.engines.replicas import ReplicatedEngine, State

router = APIRouter(prefix="/v1/engines", tags=["engines 模型服务"])

EngineName = Annotated[str, Path(max_length=64)]
ReplicaName = Annotated[str, Path(max_length=500, description="Its number, or its address.")]


class ReplicaShown(BaseModel):
    """One replica: ``running`` are the requests that it is at now."""

    name: str
    state: State
    running: int


class Drain(BaseModel):
    """Whether a replica is to be given no further requests; those that it is at go on."""

    model_config = ConfigDict(extra="forbid")

    draining: bool = Field(description="false gives it requests again.")


@router.get("/{engine}/replicas", responses=documented(404, 503))
async def listing(engine: EngineName, parts: ServicesDep, who: ActorDep) -> list[ReplicaShown]:
    """The replicas of an engine; none where it is a single one."""
    return _shown(_of(parts, engine))


@router.put("/{engine}/replicas/{replica:path}", responses=documented(404, 503))
async def drain(
    engine: EngineName, replica: ReplicaName, body: Drain, parts: ServicesDep, who: OversightDep
) -> list[ReplicaShown]:
    """Drain a replica before it is stopped, or give it requests again."""
    found = _of(parts, engine)
    if found is None or replica not in {one.name for one in found.replicas}:
        raise Problem(404, "没有这个副本。(There is no such replica.)")
    found.drain(replica, body.draining)
    await _keep(parts, who, engine, body)
    return _shown(found)


def _of(parts: Services, engine: str) -> ReplicatedEngine | None:
    slot = parts.engines.slots.get(engine)
    if slot is None:
        raise Problem(404, "没有这个引擎。(There is no such engine.)")
    if slot.engine is None:
        raise Problem(503, slot.problem or "模型还在加载。(The model is still loading.)")
    return slot.engine if isinstance(slot.engine, ReplicatedEngine) else None


def _shown(found: ReplicatedEngine | None) -> list[ReplicaShown]:
    replicas = found.replicas if found is not None else ()
    return [ReplicaShown(name=r.name, state=r.state, running=r.running) for r in replicas]


async def _keep(parts: Services, who: Actor, engine: str, body: Drain) -> None:
    action = "replica.drain" if body.draining else "replica.resume"
    context = Context.operator(who.id, who.role)
    await asyncio.to_thread(parts.store.audit.record, context, action, "engine", engine)
