"""The application of a process of hooks: their calls and feedback, behind the same guards."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from assistant import loopback
from assistant.api import problems
from assistant.api.context import Services
from assistant.api.limits import BodyLimit, SecurityHeaders
from assistant.interop.hooks import routes
from assistant.metrics import Counting, Measured

Endpoint = Callable[[str, Request, Services], Awaitable[Response]]


def own_app(parts: Services, counting: Counting) -> Starlette:
    """The ASGI app over ``parts``, which it closes at its end."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        with routes.answering(app, makes_requests=False):
            yield
        await asyncio.to_thread(parts.resources.close)
        await asyncio.to_thread(parts.store.close)

    settings = parts.settings
    guards = [
        Middleware(
            BodyLimit,
            limit=settings.max_request_bytes,
            others=dict.fromkeys(routes.paths(), settings.hooks.fetch_bytes),
        ),
        Middleware(SecurityHeaders),
        Middleware(Measured, metrics=counting),
    ]
    if settings.loopback_only or settings.allowed_hosts:
        hosts = [*loopback.NAMES, *settings.allowed_hosts]
        guards.insert(0, Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False))
    app = Starlette(
        routes=[
            _route(f"{routes.PATH}/{{service_id}}", routes.call),
            _route(f"{routes.PATH}/{{service_id}}/feedback", routes.feedback),
            Route("/{rest:path}", _elsewhere, methods=problems.METHODS),
        ],
        middleware=guards,
        lifespan=lifespan,
    )
    problems.install(app)
    app.state.services = parts
    return app


def _route(path: str, endpoint: Endpoint) -> Route:
    async def answer(request: Request) -> Response:
        # By its template the metrics tell a route, as no id may become a label.
        request.scope["route"] = route
        return await endpoint(
            request.path_params["service_id"], request, request.app.state.services
        )

    route = Route(path, answer, methods=["POST"])
    return route


async def _elsewhere(request: Request) -> Response:
    """Only what a client sent behind a call without waiting for its answer comes here."""
    sentence = "请在新的连接上重发。(Send this again on a new connection.)"
    return problems.respond(421, sentence, headers={"Connection": "close"})
