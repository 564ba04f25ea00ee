"""Errors as RFC 9457 problem details: a sentence that a person understands, never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Match

from assistant.record.attachment_content import ContentInvalid, MediaTypeRefused
from assistant.review.fill_in import Unresolved
from assistant.store.errors import (
    AlreadySigned,
    AttachmentConflict,
    AttachmentNotFound,
    BillChanged,
    BillNotFound,
    CardNotFound,
    ConversationNotFound,
    DraftNotFound,
    IdempotencyConflict,
    IdempotencyInProgress,
    InvalidArgument,
    PatientNotInSession,
    RequestNotFound,
    RoleRefused,
    ShadowAnswerNotFound,
    StoreError,
    UnresolvedStatements,
)
from assistant.work.jobs import TooManyJobs
from assistant.work.resources import KnowledgeUnavailable
from assistant.work.task import Refused
from serving.engine import EngineBusy, EngineError, EngineUnavailable, PromptTooLong

logger = logging.getLogger("bedside.assistant.api")
MEDIA_TYPE = "application/problem+json"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class ProblemDetail(BaseModel):
    """RFC 9457, with the fields at fault of a request that did not validate."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[dict[str, str]] = Field(default_factory=list)


TITLES = {
    400: "Bad request",
    401: "API key needed",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Data missing",
    413: "Too large",
    415: "Media type not taken",
    422: "Not valid",
    500: "Internal error",
    503: "Unavailable",
}


NOT_JSON = (
    "请求正文不是有效的 JSON，第 {at} 个字符附近有误。"
    "(The body is not valid JSON, near character {at}.)"
)
_PLAIN = {
    (400, "There was an error parsing the body"): (
        "请求正文无法读取：应为 UTF-8 编码的 JSON。(The body cannot be read: send JSON in UTF-8.)"
    ),
    (404, "Not Found"): "没有这个地址，接口见 /docs。(No such address; see /docs.)",
    (405, "Method Not Allowed"): (
        "这个地址不支持该请求方法，接口见 /docs。(This address has no such method; see /docs.)"
    ),
}
"""What the framework says in a few words, as a sentence."""


class Problem(HTTPException):
    """Raised by the routers to answer with a problem."""


def respond(
    status: int,
    detail: str,
    *,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The problem as a response."""
    problem = ProblemDetail(
        title=TITLES.get(status, "Error"), status=status, detail=detail, errors=errors or []
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=status,
        media_type=MEDIA_TYPE,
        headers=dict(headers or {}),
    )


_STATUS: list[tuple[type[Exception], int]] = [
    (DraftNotFound, 404),
    (AttachmentNotFound, 404),
    (AttachmentConflict, 409),
    (BillNotFound, 404),
    (ConversationNotFound, 404),
    (CardNotFound, 404),
    (BillChanged, 409),
    (RequestNotFound, 404),
    (ShadowAnswerNotFound, 404),
    (UnresolvedStatements, 409),
    (Unresolved, 409),
    (AlreadySigned, 409),
    (IdempotencyConflict, 409),
    (IdempotencyInProgress, 409),
    (MediaTypeRefused, 415),
    (ContentInvalid, 422),
    (InvalidArgument, 422),
    (Refused, 422),
    (RoleRefused, 403),
    (PatientNotInSession, 403),
    (PromptTooLong, 413),
    (KnowledgeUnavailable, 503),
    (EngineBusy, 503),
    (EngineUnavailable, 503),
    (TooManyJobs, 503),
    (EngineError, 503),
    (StoreError, 503),
]
RETRY_AFTER = "30"


async def _known(request: Request, error: Exception) -> JSONResponse:
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    headers = {}
    if status == 503:
        headers["Retry-After"] = str(getattr(error, "retry_after", RETRY_AFTER))
    return respond(status, str(error), headers=headers)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    detail = _PLAIN.get((error.status_code, str(error.detail)), str(error.detail))
    return respond(error.status_code, detail, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    """Names the fields and what is wrong, never the values: those may be a patient's."""
    assert isinstance(error, RequestValidationError)
    for item in error.errors():
        if item["type"] == "json_invalid":
            return respond(422, NOT_JSON.format(at=item["loc"][-1]))
    errors = [
        {"field": ".".join(str(part) for part in item["loc"]), "message": str(item["msg"])}
        for item in error.errors()
    ]
    fields = "、".join(dict.fromkeys(item["field"] for item in errors[:5]))
    return respond(422, f"请求中这些字段不符合要求（invalid fields）：{fields}", errors=errors[:50])


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s: %s", request.method, request.url.path, type(error).__name__)
    return respond(500, "服务器内部错误，请重试或联系管理员。(Internal error.)")


def install(app: Starlette) -> None:
    """Have every error of the API answered as a problem."""
    for kind in {kind for kind, _ in _STATUS}:
        app.add_exception_handler(kind, _known)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _unexpected)


def answer_the_rest(app: FastAPI) -> None:
    """Answer what no route under ``/v1`` takes as a problem; call it when all routers are in.

    What is mounted at ``/`` would otherwise answer in its own way.
    """
    app.api_route("/v1/{rest:path}", methods=METHODS, include_in_schema=False)(unknown)


async def unknown(request: Request) -> None:
    """405 where another method would do, else 404.

    A function of the module: FastAPI remembers every endpoint for the life of the process, and one
    made for an application would keep that, with all that it has open.
    """
    known = takewhile(
        lambda route: getattr(route, "endpoint", None) is not unknown, request.app.router.routes
    )
    routes = list(known)
    allowed = [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes
        )
    ]
    if allowed:
        raise HTTPException(405, headers={"Allow": ", ".join(allowed)})
    raise HTTPException(404)


def documented(
    *statuses: int, done: type[BaseModel] | None = None
) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI ``responses`` of a route that may answer with these problems.

    ``done`` is what a route that answers 202 gives with 200 when it was asked to wait.
    """
    waited: dict[int | str, dict[str, Any]] = (
        {200: {"model": done, "description": "Finished"}} if done is not None else {}
    )
    return waited | {
        status: {
            "model": ProblemDetail,
            "description": TITLES[status],
            "content": {MEDIA_TYPE: {}},
        }
        for status in (*statuses, 400, 401, 403, 413, 422)
    }
