"""A session's requests are about its own patient: whatever they say, on every route of the API.

The headers that name the patient are set from the session; a request that names another is
refused.  A body about another patient is then refused where the header is compared with it.
"""

from __future__ import annotations

import asyncio
import time
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.api.context import BOUND_ACTOR, Actor
from assistant.api.problems import respond
from assistant.interop.smart.session import Session, Sessions
from assistant.store.context import bind

COOKIE = "bedside_smart"
SCOPE_KEY = "bedside.smart"
MACHINES_ONLY = ("/v1/fhir/notifications",)
OF_MANY = ("/v1/record-searches", "/v1/adoption")
"""What tells of many patients at once is no part of a session that is for one."""
GUARDED = ("/v1/", "/fhir/")
_PATIENT, _ENCOUNTER = b"x-patient-id", b"x-encounter-id"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BoundSession:
    """Puts the session of the cookie into the scope and binds the request to its patient."""

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self.app = app
        self.sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Bind what has a session's cookie and no key of its own."""
        guarded = scope["type"] == "http" and scope["path"].startswith(GUARDED)
        headers = Headers(scope=scope) if guarded else None
        name = cookie(headers) if headers is not None and "authorization" not in headers else ""
        if headers is None or not name:
            await self.app(scope, receive, send)
            return
        session = await asyncio.to_thread(self.sessions.find, name)
        refusal = _refusal(scope, headers, session)
        if refusal is not None or session is None:
            status, detail = refusal or (401, _ENDED)
            await respond(status, detail)(scope, receive, send)
            return
        # Behind what is refused here: no route can ask the store about anybody else.
        bind(session.patients)
        await self.app(_bound(scope, headers, session), receive, send)


_ENDED = "会话已过期，请从病历系统重新打开。(The session has ended; open it again.)"


def cookie(headers: Headers) -> str:
    """The session's name in the cookies; "" for none."""
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _refusal(scope: Scope, headers: Headers, session: Session | None) -> tuple[int, str] | None:
    """(status, sentence) of a request that is not let through."""
    if session is None or session.until < time.time():
        return 401, _ENDED
    # A cookie comes along with what another site makes a browser send; its origin says so.
    site = headers.get("sec-fetch-site", "same-origin")
    if scope["method"] not in _SAFE and site not in ("same-origin", "none"):
        return 403, "来自其他网站的请求已拒绝。(A request of another site is refused.)"
    if scope["path"].startswith(MACHINES_ONLY):
        return 403, "这个接口只供系统以 API key 调用。(This is for systems with an API key.)"
    if scope["path"].startswith(OF_MANY):
        return 403, (
            "本会话只针对一名患者，不能查看多名患者的汇总；请直接登录本系统。"
            "(This session is for one patient; sign in here for what tells of many.)"
        )
    asked = headers.get("x-patient-id", session.patient_id)
    stay = headers.get("x-encounter-id", "")
    if not session.may_see(asked, stay):
        return 403, (
            "本会话只能查看启动时的患者；紧急情况请用“紧急访问”并写明理由。"
            "(This session is for one patient; in an emergency use break-glass with a reason.)"
        )
    return None


def _bound(scope: Scope, headers: Headers, session: Session) -> Scope:
    """The request with the patient and stay of its session."""
    patient = headers.get("x-patient-id", session.patient_id)
    stays = dict(session.patients)
    stay = headers.get("x-encounter-id", "") or stays.get(patient, "")
    kept = [(k, v) for k, v in scope["headers"] if k not in (_PATIENT, _ENCOUNTER)]
    kept.append((_PATIENT, patient.encode("latin-1")))
    if stay:
        kept.append((_ENCOUNTER, stay.encode("latin-1")))
    actor = Actor(session.actor_id, session.role, f"smart:{urlsplit(session.base).hostname}")
    return {**scope, "headers": kept, SCOPE_KEY: session, BOUND_ACTOR: actor}
