"""The application: settings in, one ASGI app out, with everything that it opens and closes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from importlib.metadata import entry_points, version

from fastapi import Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from assistant import loopback
from assistant.api import (
    answers,
    approvals,
    audit,
    differential,
    discharge,
    drafts,
    feedback,
    health,
    knowledge,
    problems,
    statement_checks,
    structured_notes,
)
from assistant.api.context import Services, actor
from assistant.api.limits import BodyLimit, SecurityHeaders
from assistant.clinic import Clinic
from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.engines import Engines
from assistant.libraries import quiet_libraries
from assistant.metrics import Measured, Metrics
from assistant.opening import open_knowledge, open_store
from assistant.settings import Settings
from assistant.store import Store
from assistant.vector_building import VectorBuilding
from assistant.work.jobs import Jobs
from serving.openai import api as openai_api

logger = logging.getLogger("bedside.assistant")
PURGE_EVERY_SECONDS = 3600.0


def build_app(settings: Settings, *, with_ui: bool = True) -> FastAPI:
    """The ASGI app.  It opens the store now and models in the background when it starts."""
    quiet_libraries()
    store = open_store(settings)
    base, encoder = open_knowledge(settings)
    engines = Engines(settings)
    clinic = Clinic(settings, store, engines, base)
    jobs = Jobs(store, clinic, workers=settings.jobs, limit=settings.max_waiting)
    vectors = VectorBuilding(base, settings.encoder)
    parts = Services(settings=settings, store=store, clinic=clinic, jobs=jobs, vectors=vectors)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        engines.start()
        await jobs.start()
        vectors.start()
        # Hashes of large models take a while; the first page need not wait for them.
        looking = asyncio.create_task(clinic.standing.refresh())
        purging = asyncio.create_task(_purge_expired(settings, store))
        try:
            yield
        finally:
            purging.cancel()
            await asyncio.gather(looking, return_exceptions=True)
            await asyncio.to_thread(vectors.close)
            await jobs.stop()
            await engines.close()
            await asyncio.to_thread(store.close)

    app = FastAPI(
        title="Bedside",
        version=version("bedside"),
        description=f"{DISCLAIMER_ZH}\n\n{DISCLAIMER_EN}",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.services = parts
    app.state.metrics = Metrics()
    problems.install(app)
    for module in (
        differential,
        discharge,
        answers,
        drafts,
        feedback,
        knowledge,
        approvals,
        structured_notes,
        statement_checks,
        audit,
        health,
    ):
        app.include_router(module.router)
    app.include_router(
        openai_api.router(engines.open_engines, (lambda: encoder) if encoder else None),
        dependencies=[Depends(actor)],
        responses={401: {"description": problems.TITLES[401]}},
    )
    for entry in entry_points(group="bedside.routers"):
        app.include_router(entry.load())
    problems.answer_the_rest(app)
    _mount_docs(app)
    if with_ui:
        from assistant.ui.page import mount

        mount(app, parts)
    _add_middleware(app, settings)
    return app


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Outermost last: host names, then size, then headers, then the measure of time."""
    app.add_middleware(Measured, metrics=app.state.metrics)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        BodyLimit,
        limit=settings.max_request_bytes,
        others={structured_notes.PATH: settings.max_notes_bytes},
    )
    if settings.loopback_only or settings.allowed_hosts:
        # A page of another site must not reach a server on loopback under a name of its own.
        hosts = [*loopback.NAMES, *settings.allowed_hosts]
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)


def _mount_docs(app: FastAPI) -> None:
    """``/docs`` from files of our own server: the default page loads scripts from elsewhere."""
    from assistant.api.docs import router

    app.include_router(router)


async def _purge_expired(settings: Settings, store: Store) -> None:
    while settings.retention_days:
        try:
            await asyncio.to_thread(store.purge_expired, settings.retention_days)
        except Exception as error:
            logger.error("nothing was purged: %s", type(error).__name__)
        await asyncio.sleep(PURGE_EVERY_SECONDS)
