"""The application: settings in, one ASGI app out, with everything that it opens and closes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from importlib.metadata import entry_points, version

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from assistant import loopback
from assistant.alerts import routes as alert_routes
from assistant.api import (
    adoption,
    approvals,
    attachments,
    audit,
    drafts,
    feedback,
    health,
    imaging_releases,
    knowledge,
    problems,
    record_searches,
    replicas,
    statement_checks,
    tasks_listing,
    work,
)
from assistant.api.context import Services, actor
from assistant.api.limits import (
    BILL_FILES,
    COHORT_UPLOADS,
    PAGE_UPLOADS,
    STUDY_UPLOADS,
    BodyLimit,
    SecurityHeaders,
)
from assistant.approval.status import ApprovalStatus
from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.engines import Engines
from assistant.interop.dicom.listening import CannotListen
from assistant.interop.dicom.reception import Reception
from assistant.interop.embed import routes as embed_routes
from assistant.interop.events import routes as event_routes
from assistant.interop.fhir import routes as fhir_records
from assistant.interop.fhir import serving as fhir_resources
from assistant.interop.hl7 import routes as hl7_records
from assistant.interop.hooks import routes as hook_routes
from assistant.interop.smart import routes as smart_login
from assistant.interop.smart.binding import BoundSession
from assistant.libraries import quiet_libraries
from assistant.metrics import Measured, Metrics
from assistant.monitoring import routes as monitoring_routes
from assistant.monitoring.shadow import routes as shadow_routes
from assistant.monitoring.shadow.runner import Shadow
from assistant.monitoring.watch import watch
from assistant.opening import open_knowledge, open_store
from assistant.settings import Settings
from assistant.store import Store
from assistant.vector_building import VectorBuilding
from assistant.work.jobs import Jobs
from assistant.work.performer import Performer
from assistant.work.registry import Registry, installed
from assistant.work.resources import Resources
from knowledge.base import KnowledgeBase
from serving.openai import api as openai_api

logger = logging.getLogger("bedside.assistant")
PURGE_EVERY_SECONDS = 3600.0


def build_services(
    settings: Settings,
    tasks: Registry,
    base: KnowledgeBase | None,
    *,
    workers: int | None = None,
) -> Services:
    """The store, opened now, and what works on it; ``workers`` as set where it is not given."""
    store = open_store(settings)
    engines = Engines(settings)
    resources = Resources(settings, engines, base, store.attachments, store.conversations)
    approvals = ApprovalStatus(settings, store, engines, tasks)
    performer = Performer(tasks, store, resources, approvals)
    jobs = Jobs(
        store,
        performer,
        workers=settings.jobs if workers is None else workers,
        limit=settings.max_waiting,
        join=performer.joined,
    )
    vectors = VectorBuilding(base, settings.encoder)
    return Services(settings, store, tasks, resources, approvals, jobs, vectors)


def build_app(
    settings: Settings, *, with_ui: bool = True, tasks: Registry | None = None
) -> FastAPI:
    """The ASGI app of the installed tasks, or of those given.

    It opens the store now and models in the background when it starts.
    """
    quiet_libraries()
    tasks = tasks or installed()
    base, encoder = open_knowledge(settings)
    parts = build_services(settings, tasks, base)
    store, engines, jobs = parts.store, parts.engines, parts.jobs
    vectors = parts.vectors
    shadow = Shadow(parts)
    listens = settings.dicom.listen
    reception = Reception(store, tasks, parts.resources, jobs) if listens else None

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        engines.start()
        await jobs.start()
        if reception is not None:
            try:
                await reception.start()
            except CannotListen as error:
                # The pages are of use without it.
                logger.error("%s", error)
        vectors.start()
        # Hashes of large models take a while; the first page need not wait for them.
        looking = asyncio.create_task(parts.approvals.refresh())
        purging = asyncio.create_task(_purge(settings, store))
        watching = [asyncio.create_task(watch(parts)), asyncio.create_task(shadow.run())]
        begun = contextlib.AsyncExitStack()
        try:
            for router in app.state.routers:
                await begun.enter_async_context(router.lifespan_context(app))
            yield
        finally:
            await begun.aclose()
            purging.cancel()
            for watcher in watching:
                watcher.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            if reception is not None:
                await reception.stop()
            await asyncio.gather(looking, return_exceptions=True)
            await asyncio.to_thread(vectors.close)
            await jobs.stop()
            await engines.close()
            await asyncio.to_thread(parts.resources.close)
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
    app.state.shadow = shadow
    app.state.metrics = Metrics()
    app.state.routers = []
    problems.install(app)
    # Called more often than all others: no route is tried before these.
    _add_routes(app, hook_routes.router)
    for task in tasks:
        _add_routes(app, work.router(task))
    _add_routes(app, drafts.router(tasks))
    for module in (
        statement_checks,
        tasks_listing,
        attachments,
        feedback,
        adoption,
        knowledge,
        approvals,
        imaging_releases,
        audit,
        health,
        fhir_records,
        fhir_resources,
        hl7_records,
        record_searches,
        replicas,
    ):
        _add_routes(app, module.router)
    smart = smart_login.flow_of(settings, store)
    app.include_router(smart_login.router(smart))
    app.include_router(
        openai_api.router(engines.open_engines, (lambda: encoder) if encoder else None),
        dependencies=[Depends(actor)],
        responses={401: {"description": problems.TITLES[401]}},
    )
    for entry in entry_points(group="bedside.routers"):
        app.include_router(entry.load())
    for part in (alert_routes, event_routes, embed_routes, monitoring_routes, shadow_routes):
        _add_routes(app, part.router)
    problems.answer_the_rest(app)
    _mount_docs(app)
    if with_ui:
        from assistant.ui.page import mount

        mount(app, parts, smart.sessions)
    # Innermost: what is refused elsewhere is refused before.
    app.add_middleware(BoundSession, sessions=smart.sessions)
    _add_middleware(app, settings, tasks)
    return app


def _add_routes(app: FastAPI, router: APIRouter) -> None:
    """The routes of a router as they are; what it begins and ends with, the application's does.

    `FastAPI.include_router` reads the types of every field anew for each application, which takes
    the first request a second; it is for routers that are given a prefix or dependencies.
    """
    app.router.routes.extend(router.routes)
    app.state.routers.append(router)


def _add_middleware(app: FastAPI, settings: Settings, tasks: Registry) -> None:
    """Outermost last: host names, then size, then headers, then the measure of time."""
    app.add_middleware(Measured, metrics=app.state.metrics)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        BodyLimit,
        limit=settings.max_request_bytes,
        others={f"/v1/{task.path}": task.max_bytes(settings) for task in tasks}
        | dict.fromkeys(
            (attachments.PATH, PAGE_UPLOADS, COHORT_UPLOADS, BILL_FILES),
            settings.max_attachment_bytes,
        )
        | {STUDY_UPLOADS: settings.max_study_bytes}
        | dict.fromkeys(hook_routes.paths(), settings.hooks.fetch_bytes)
        | dict.fromkeys(
            ("/v1/events", "/v1/alerts", "/v1/embed/requests"), settings.max_notes_bytes
        )
        | dict.fromkeys((fhir_records.PATH, fhir_records.NOTIFICATIONS), settings.max_notes_bytes),
    )
    if settings.loopback_only or settings.allowed_hosts:
        # A page of another site must not reach a server on loopback under a name of its own.
        hosts = [*loopback.NAMES, *settings.allowed_hosts]
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)


def _mount_docs(app: FastAPI) -> None:
    """``/docs`` from files of our own server: the default page loads scripts from elsewhere."""
    from assistant.api.docs import router

    app.include_router(router)


async def _purge(settings: Settings, store: Store) -> None:
    try:
        # A kill may have left files that belong to nothing.
        await asyncio.to_thread(store.attachments.sweep)
    except Exception as error:
        logger.error("files of attachments were not swept: %s", type(error).__name__)
    while settings.retention_days:
        try:
            await asyncio.to_thread(store.purge_expired, settings.retention_days)
        except Exception as error:
            logger.error("nothing was purged: %s", type(error).__name__)
        await asyncio.sleep(PURGE_EVERY_SECONDS)
