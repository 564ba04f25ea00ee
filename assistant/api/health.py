"""``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict
from typing import Literal, cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from assistant.api.context import ServicesDep
from assistant.metrics import Metrics
from assistant.store import StoreError
from assistant.vector_building import State
from knowledge.base import Retrieval

router = APIRouter(tags=["health"])
logger = logging.getLogger("bedside.assistant.api")


class EngineState(BaseModel):
    """One engine as it answered the probe."""

    name: str
    model: str
    approved: bool
    demo_only: bool
    state: str
    seconds: float | None = None
    problem: str = ""


class VectorState(BaseModel):
    """Vectors of the knowledge base, which are made behind a server that already searches by
    words: ``done`` of ``total`` passages in this run."""

    state: State
    done: int
    total: int
    problem: str


class Readiness(BaseModel):
    """What works now and what is missing.  Vectors that are still made do not keep it from being
    ready."""

    ready: bool
    knowledge: bool
    knowledge_version: str
    retrieval: Retrieval | None
    vectors: VectorState
    store: bool
    workers: bool
    api_keys: Literal["every request", "all but direct requests from this machine"]
    """Which requests need an API key."""

    engines: list[EngineState]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(parts: ServicesDep, response: Response) -> Readiness:
    """Everything that is configured works: each engine generates a token, or did so a few seconds
    ago; the store answers and the workers take requests.  503 otherwise."""
    engines = parts.engines
    await parts.approvals.refresh()
    probes = await engines.probes()
    store = await _answers(parts)
    parts_ready = (parts.has_knowledge, store, parts.jobs.alive)
    ready = all(parts_ready) and all(p.state == "ready" for p in probes.values())
    response.status_code = 200 if ready else 503
    return Readiness(
        ready=ready,
        knowledge=parts.has_knowledge,
        knowledge_version=parts.knowledge.version if parts.has_knowledge else "",
        retrieval=parts.knowledge.retrieval if parts.has_knowledge else None,
        vectors=VectorState(**asdict(parts.vectors.progress)),
        store=store,
        workers=parts.jobs.alive,
        api_keys="every request"
        if parts.settings.keys_required
        else "all but direct requests from this machine",
        engines=[
            EngineState(
                name=name,
                model=engines.describe(name),
                approved=engines.slots[name].approved,
                demo_only=engines.slots[name].demo_only,
                state=probe.state,
                seconds=probe.seconds,
                problem=probe.problem,
            )
            for name, probe in probes.items()
        ],
    )


async def _answers(parts: ServicesDep) -> bool:
    """Whether the store answers."""
    try:
        await asyncio.to_thread(parts.store.requests.count, "queued")
    except StoreError as error:
        logger.error("the store does not answer: %s", type(error).__name__)
        return False
    return True


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, parts: ServicesDep) -> Response:
    """Prometheus text format."""
    kept = cast(Metrics, request.app.state.metrics)
    for status in ("queued", "running"):
        count = await asyncio.to_thread(parts.store.requests.count, status)
        kept.jobs.labels(status).set(count)
    for name, slot in parts.engines.slots.items():
        kept.engines.labels(name).set(slot.state == "ready")
    kept.knowledge.set(parts.has_knowledge)
    return Response(generate_latest(kept.registry), media_type=CONTENT_TYPE_LATEST)
