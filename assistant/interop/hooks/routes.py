"""``/cds-services``: the list of services, their calls, and the feedback on their cards."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette

from assistant.alerts.base import open_base
from assistant.api.context import Services, ServicesDep
from assistant.api.problems import documented, respond
from assistant.interop.hooks import wire
from assistant.interop.hooks.answering import Answering
from assistant.interop.hooks.caller import base_url, caller_of
from assistant.interop.hooks.feedback import keep
from assistant.interop.hooks.keys import ClientKeys
from assistant.interop.hooks.message import CardsResponse, FeedbackRequest, HookRequest
from assistant.interop.hooks.refusal import HookRefused, UnknownService
from assistant.interop.hooks.service import BY_ID, SERVICES, HookService
from assistant.store import StoreError

if TYPE_CHECKING:
    from assistant.interop.hooks.processes.pool import Pool

logger = logging.getLogger("bedside.assistant.hooks")
PATH = "/cds-services"
WARM_AFTER = 3.0
"""Seconds."""
COLLECT = (30_000, 20, 50)
"""Objects before the collector walks over the young ones, and walks before it takes the older.  A
call makes thousands of objects that hold no circles; with Python's own thresholds a fourteenth of
its time went into looking for some."""

Body = TypeVar("Body", bound=BaseModel)


@contextlib.contextmanager
def answering(app: Starlette, *, makes_requests: bool = True) -> Iterator[None]:
    """While this is open, the application answers calls; see `Answering`."""
    app.state.hook_keys = ClientKeys()
    app.state.hook_answering = Answering(app.state.services, makes_requests=makes_requests)
    try:
        yield
    finally:
        app.state.hook_answering.close()


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    hooks = app.state.services.settings.hooks
    pool: Pool | None = getattr(app.state, "hook_pool", None)
    expected = (bool(hooks.clients) or hooks.unsecured) and pool is None
    with answering(app):
        warming = asyncio.create_task(_warm_later(app) if expected else asyncio.sleep(0))
        if pool is not None:
            pool.start()
        try:
            yield
        finally:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)
            if pool is not None:
                await pool.close()


async def _warm_later(app: FastAPI) -> None:
    """Only where the settings let a system call: it takes seconds of a processor."""
    # What a start has to do comes first.
    await asyncio.sleep(WARM_AFTER)
    await warm(app)


async def warm(app: Starlette) -> None:
    """Read the rules and the vocabulary before the first call waits for them."""
    from assistant.alerts.warming import warm as warm_rules

    try:
        parts: Services = app.state.services
        await asyncio.to_thread(lambda: warm_rules(open_base(parts.resources)))
        await asyncio.to_thread(app.state.hook_answering.warm)
        # What was read stays for good.  Else each call's resources would have the collector walk
        # over all of it again and again: milliseconds a call.
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECT)
    except Exception as error:
        logger.error("the rules of alerts were not read: %s", type(error).__name__)


_JSON_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "As CDS Hooks 2.0 has it.",
    }
}
router = APIRouter(tags=["cds hooks 临床决策支持"], lifespan=_lifespan)


def paths() -> list[str]:
    """Where calls are posted."""
    return [f"{PATH}/{service.id}" for service in SERVICES]


@router.get(PATH)
async def services(parts: ServicesDep) -> JSONResponse:
    """The services, by CDS Hooks 2.0; open to all."""
    listed = {"services": [service.described() for service in SERVICES]}
    return JSONResponse(listed, headers={"Access-Control-Allow-Origin": "*"})


@router.options(PATH, include_in_schema=False)
@router.options(f"{PATH}/{{service_id}}", include_in_schema=False)
@router.options(f"{PATH}/{{service_id}}/feedback", include_in_schema=False)
async def preflight(request: Request, parts: ServicesDep) -> Response:
    """What a browser asks before it calls from another origin."""
    headers = _cors(request, parts)
    if request.url.path == PATH:
        headers = {"Access-Control-Allow-Origin": "*"}
    if headers:
        headers |= {
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept",
            "Access-Control-Max-Age": "600",
        }
    return Response(status_code=204, headers=headers)


@router.get(f"{PATH}/{{service_id}}", include_in_schema=False)
@router.get(f"{PATH}/{{service_id}}/feedback", include_in_schema=False)
async def asked(service_id: str) -> Response:
    """405 for a service that is there: it is posted to."""
    try:
        _service(service_id)
    except UnknownService as refused:
        return respond(refused.status, str(refused))
    sentence = "请用 POST 调用这个服务。(Call this service by POST.)"
    return respond(405, sentence, headers={"Allow": "POST, OPTIONS"})


@router.post(
    f"{PATH}/{{service_id}}",
    response_model=CardsResponse,
    responses=documented(404, 412, 503),
    openapi_extra=_JSON_BODY,
)
async def call(service_id: str, request: Request, parts: ServicesDep) -> Response:
    """Call a service: its cards, by CDS Hooks 2.0.

    400 for a call that is not one, 401 without a valid token, 404 for an unknown service, 412 where
    the data could not be had.
    """

    async def work() -> Response:
        service = _service(service_id)
        caller = await caller_of(request, parts, _keys(request))
        answering = cast(Answering, request.app.state.hook_answering)
        try:
            body = _checked(HookRequest, await _json(request))
            _matches(service, body)
            answer = await answering.cards(service, body, caller, base_url(parts, request))
        except Exception:
            # A token of a call that is refused, or fails, was used as well.
            await answering.take(caller)
            raise
        return Response(answer.model_dump_json(exclude_none=True), media_type="application/json")

    return await _answered(request, parts, work)


@router.post(
    f"{PATH}/{{service_id}}/feedback",
    response_model=None,
    responses=documented(404, 503),
    openapi_extra=_JSON_BODY,
)
async def feedback(service_id: str, request: Request, parts: ServicesDep) -> Response:
    """What became of the cards of a service."""

    async def work() -> Response:
        service = _service(service_id)
        caller = await caller_of(request, parts, _keys(request))
        await asyncio.to_thread(caller.take, parts.store)
        body = _checked(FeedbackRequest, await _json(request))
        known = await asyncio.to_thread(
            keep, parts.store, caller.application, service.id, body.feedback
        )
        if not known:
            return respond(404, "没有这些卡片。(None of these cards is known.)")
        return Response(status_code=200)

    return await _answered(request, parts, work)


async def _answered(
    request: Request, parts: Services, work: Callable[[], Awaitable[Response]]
) -> Response:
    """What ``work`` gives, or why it is refused; never a trace."""
    try:
        response = await work()
    except HookRefused as refused:
        headers = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else {}
        response = respond(refused.status, str(refused), headers=headers)
    except StoreError as error:
        logger.error("a hook was not answered: %s", type(error).__name__)
        response = respond(503, "暂时无法答复，请稍后重试。(Try again later.)")
    for name, value in _cors(request, parts).items():
        response.headers[name] = value
    return response


def _cors(request: Request, parts: Services) -> dict[str, str]:
    origin = request.headers.get("origin", "")
    if origin and origin in parts.settings.hooks.origins:
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    return {}


def _keys(request: Request) -> ClientKeys:
    return cast(ClientKeys, request.app.state.hook_keys)


def _service(service_id: str) -> HookService:
    service = BY_ID.get(service_id)
    if service is None:
        raise UnknownService
    return service


async def _json(request: Request) -> Any:
    body = await request.body()
    try:
        return wire.read(body)
    except (ValueError, RecursionError):
        raise HookRefused("请求正文不是有效的 JSON。(The body is not valid JSON.)") from None


def _checked(kind: type[Body], body: Any) -> Body:
    """The body, typed; what is wrong is told by the names of fields, never by values."""
    try:
        return kind.model_validate(body)
    except (ValidationError, RecursionError) as error:
        places = (
            [".".join(str(step) for step in item["loc"]) for item in error.errors()]
            if isinstance(error, ValidationError)
            else []
        )
        named = "、".join(dict.fromkeys(places[:5])) or "body"
        raise HookRefused(f"这些字段不符合要求（invalid fields）：{named}") from None


def _matches(service: HookService, body: HookRequest) -> None:
    if body.hook != service.hook:
        raise HookRefused(
            f"这个服务用于 {service.hook}。(This service is for the hook {service.hook}.)"
        )
    missing = [name for name in service.required if getattr(body.context, name, None) is None]
    if missing:
        raise HookRefused(f"context 缺少（missing）：{'、'.join(missing)}")
