"""Signing in with an API key, before anything clinical is shown to whoever needs one.

The key is exchanged for a random token in an HttpOnly cookie; the token lives in memory, for one
working day at most, and every request asks the store whether the key is still valid.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.api.context import LOCAL_ACTOR, Services, key_needed
from assistant.draft import DISCLAIMER_EN, DISCLAIMER_ZH
from assistant.interop.smart.binding import cookie
from assistant.interop.smart.session import Sessions as Launched
from assistant.ui.markup import esc
from assistant.ui.strings import STRINGS
from assistant.ui.user import written

COOKIE = "bedside-session"
LOCAL_USER = f"{LOCAL_ACTOR.role}:{LOCAL_ACTOR.id}"
SESSION_SECONDS = 12 * 3600
MAX_SESSIONS = 1_000

PAGE = """<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>Bedside</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px/1.6 "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", system-ui, sans-serif;
  background: #f3f6f8; color: #1c2b33; display: grid; place-items: center; min-height: 90vh; }}
form {{ background: #fff; border: 1px solid #d5dee4; border-radius: 8px; padding: 28px 32px;
  width: min(420px, 88vw); }}
h1 {{ font-size: 20px; margin: 0 0 8px; color: #0f6e78; }}
input {{ width: 100%; box-sizing: border-box; font: inherit; padding: 8px; margin: 4px 0 14px;
  border: 1px solid #8aa0ad; border-radius: 4px; }}
button {{ font: inherit; padding: 8px 20px; border: 0; border-radius: 4px; background: #0f6e78;
  color: #fff; cursor: pointer; }}
:focus-visible {{ outline: 3px solid #1a9aa8; outline-offset: 2px; }}
.bad {{ color: #a61b1b; }} small {{ color: #51646f; display: block; margin-top: 14px; }}
</style></head><body><form method="post" action="sign-in">
<h1>{product}</h1><p>{hint}</p>{problem}
<label for="key">API key</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<button>{sign_in}</button><small>{disclaimer}</small></form></body></html>"""


@dataclass
class SignedIn:
    """One browser that has shown a valid key."""

    key: str
    until: float


class Sessions:
    """The tokens of this process."""

    def __init__(self, parts: Services, launched: Launched | None = None) -> None:
        self._parts = parts
        self._launched = launched
        self._open: dict[str, SignedIn] = {}

    async def enter(self, key: str) -> str | None:
        """A new token for a valid key."""
        if await asyncio.to_thread(self._parts.store.api_keys.verify, key) is None:
            return None
        now = time.monotonic()
        self._open = {t: s for t, s in self._open.items() if s.until > now}
        while len(self._open) >= MAX_SESSIONS:
            self._open.pop(next(iter(self._open)))
        token = secrets.token_urlsafe(32)
        self._open[token] = SignedIn(key, now + SESSION_SECONDS)
        return token

    def leave(self, token: str) -> None:
        """Forget a token."""
        self._open.pop(token, None)

    async def user(self, request: Request) -> str | None:
        """Who made the request, as `assistant.ui.user` writes it; None when that is nobody.

        A session from the hospital's log-in comes before a key, as it allows less.  A client on
        this machine itself is the demo doctor where keys are not required.
        """
        if (name := cookie(request.headers)) and self._launched is not None:
            launched = await asyncio.to_thread(self._launched.find, name)
            if launched is None or launched.until < time.time():
                return None
            return written(launched.actor_id, launched.role, launched.patients)
        session = self._open.get(request.cookies.get(COOKIE, ""))
        if session is not None and session.until >= time.monotonic():
            key = await asyncio.to_thread(self._parts.store.api_keys.verify, session.key)
            if key is not None:
                return f"{key.role}:{key.actor_id}"
        return None if key_needed(self._parts.settings, request) else LOCAL_USER


def install(
    app: FastAPI, parts: Services, launched: Launched | None = None
) -> Callable[[Request], Awaitable[str | None]]:
    """Add the sign-in page; gives what Gradio asks for the user of a request."""
    sessions = Sessions(parts, launched)
    router = APIRouter(include_in_schema=False)

    @router.get("/sign-in")
    async def show() -> HTMLResponse:
        return HTMLResponse(_page(""))

    @router.post("/sign-in")
    async def enter(request: Request, key: str = Form(max_length=200)) -> Response:
        token = await sessions.enter(key.strip())
        if token is None:
            return HTMLResponse(_page(_both("sign_in.wrong")), status_code=401)
        answer = RedirectResponse("./", status_code=303)
        answer.set_cookie(
            COOKIE,
            token,
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
        return answer

    @router.get("/sign-out")
    async def leave(request: Request) -> Response:
        sessions.leave(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("sign-in", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    app.include_router(router)
    app.state.ui_sessions = sessions
    return sessions.user


def guard(app: FastAPI) -> None:
    """Stand before everything that Gradio serves; call it right after Gradio is mounted."""
    mount = app.routes[-1]
    assert isinstance(mount, Mount)
    mount.app = Guard(mount.app, app.state.ui_sessions)


class Guard:
    """Sends a browser that is not signed in to the sign-in page, and refuses all else."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self.app = app
        self.sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let through what is signed in."""
        if scope["type"] != "http" or await self.sessions.user(Request(scope)) is not None:
            await self.app(scope, receive, send)
            return
        page = scope["method"] == "GET" and scope["path"] in ("/", "")
        # A session from the log-in that is over is renewed there, or says what to do.
        launched = page and cookie(Request(scope).headers)
        place = "smart/session" if launched else "sign-in"
        answer = RedirectResponse(place, status_code=303) if page else Response(status_code=401)
        await answer(scope, receive, send)


def _both(key: str) -> str:
    return "　".join(STRINGS[key])


def _page(problem: str) -> str:
    return PAGE.format(
        product=esc(STRINGS["product"][0]),
        hint=esc(_both("sign_in.hint")),
        problem=f'<p class="bad" role="alert">{esc(problem)}</p>' if problem else "",
        sign_in=esc("　".join(STRINGS["sign_in"])),
        disclaimer=f"{esc(DISCLAIMER_ZH)}<br>{esc(DISCLAIMER_EN)}",
    )
