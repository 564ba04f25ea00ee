"""``/healthz``, ``/readyz``, ``/metrics``."""

from __future__ import annotations

import asyncio
import time
from typing import cast

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from assistant.api.context import ServicesDep
from assistant.metrics import Metrics
from serving.engine import EngineError, Message, Sampling, complete

router = APIRouter(tags=["health"])
PROBE_SECONDS = 20.0


class EngineState(BaseModel):
    """One engine as it answered the probe."""

    name: str
    model: str
    demo_only: bool
    state: str
    seconds: float | None = None
    problem: str = ""


class Readiness(BaseModel):
    """What works now and what is missing."""

    ready: bool
    knowledge: bool
    knowledge_version: str
    engines: list[EngineState]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz", responses={503: {"model": Readiness}})
async def readyz(parts: ServicesDep, response: Response) -> Readiness:
    """Everything that is configured works: each engine generates a token.  503 otherwise."""
    states = await asyncio.gather(*(_probe(parts, name) for name in parts.clinic.engines.slots))
    ready = parts.clinic.has_knowledge and all(s.state == "ready" for s in states)
    response.status_code = 200 if ready else 503
    return Readiness(
        ready=ready,
        knowledge=parts.clinic.has_knowledge,
        knowledge_version=parts.clinic.knowledge.version if parts.clinic.has_knowledge else "",
        engines=list(states),
    )


async def _probe(parts: ServicesDep, name: str) -> EngineState:
    slot = parts.clinic.engines.slots[name]
    state = EngineState(
        name=name,
        model=parts.clinic.engines.describe(name),
        demo_only=slot.demo_only,
        state=slot.state,
        problem=slot.problem,
    )
    if slot.engine is None:
        return state
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            await complete(slot.engine, [Message("user", "你好")], Sampling(max_tokens=1))
    except (EngineError, TimeoutError) as error:
        state.state = "failing"
        state.problem = str(error) or f"no answer within {PROBE_SECONDS:.0f} s"
    state.seconds = round(time.perf_counter() - started, 3)
    return state


@router.get("/metrics", response_class=Response)
async def metrics(request: Request, parts: ServicesDep) -> Response:
    """Prometheus text format."""
    kept = cast(Metrics, request.app.state.metrics)
    for status in ("queued", "running"):
        count = await asyncio.to_thread(parts.store.requests.count, status)
        kept.jobs.labels(status).set(count)
    for name, slot in parts.clinic.engines.slots.items():
        kept.engines.labels(name).set(slot.state == "ready")
    kept.knowledge.set(parts.clinic.has_knowledge)
    return Response(generate_latest(kept.registry), media_type=CONTENT_TYPE_LATEST)
