"""Middleware that guards the door: size of bodies, host names, and what a browser may load."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.api.problems import respond

PAGE_UPLOADS = "/pages/attachments"
"""Where the pages of the UI post files, see `assistant.ui.frame.TaskPage.serve`."""

BILL_FILES = "/v1/bills/files"
"""Where scans and photos of bills are posted."""

STUDY_UPLOADS = "/pages/studies"
"""Where they post the files of a study, see `assistant.ui.imaging.dropping`."""

COHORT_UPLOADS = "/pages/cohorts"
"""Where they post the table of a cohort, see `assistant.tasks.radiomics.cohort.ui.tables`."""


class BodyLimit:
    """Answers 413 to bodies over ``limit`` bytes, declared or found while reading.

    ``others`` has other limits by path.
    """

    def __init__(self, app: ASGIApp, limit: int, others: Mapping[str, int] | None = None) -> None:
        self.app = app
        self.limit = limit
        self.others = dict(others or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.others.get(scope["path"], self.limit)
        declared = Headers(scope=scope).get("content-length", "0")
        if declared.isdigit() and int(declared) > limit:
            await respond(413, _detail(limit))(scope, receive, send)
            return
        received = 0

        async def counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise HTTPException(413, _detail(limit))
            return message

        await self.app(scope, counting, send)


def _detail(limit: int) -> str:
    return f"请求超过 {limit} 字节的上限，请分次提交。(The body exceeds {limit} bytes.)"


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self' blob: data:; worker-src 'self' blob:; frame-ancestors 'self'; "
        "base-uri 'self'; form-action 'self'; object-src 'none'"
    ),
}
"""The page may load nothing from any other host; patient data is not kept in browser caches."""

CACHED_PATHS = ("/assets/", "/static/")
"""Scripts and styles whose names change with their content."""


class SecurityHeaders:
    """Adds the headers to every response; static files may still be cached."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add what is not set already."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("Content-Type", "").startswith("text/event-stream"):
                    headers["Cache-Control"] = "no-store"
                if scope["path"].startswith(CACHED_PATHS) and message["status"] == 200:
                    headers["Cache-Control"] = "public, max-age=86400"
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, adding)
