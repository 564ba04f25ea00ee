"""``/smart``: launch, come back, session, refresh, break-glass, log out."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from assistant.api.context import ActorDep, ServicesDep
from assistant.api.problems import Problem, documented
from assistant.interop.smart.binding import COOKIE, SCOPE_KEY, cookie
from assistant.interop.smart.flow import Flow
from assistant.interop.smart.page import refused, session_page
from assistant.interop.smart.problem import LaunchRefused
from assistant.interop.smart.provider import check_address
from assistant.interop.smart.session import Session, Sessions
from assistant.settings import Settings
from assistant.store import Context, Store

LAUNCH_COOKIE = "bedside_launch"
CALLBACK = "/smart/callback"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_LEAST_REASON = 10
_SAME_SITE = ("same-origin", "none")


class SessionShown(BaseModel):
    """The session of the caller."""

    actor_id: str
    role: str
    patient_id: str
    encounter_id: str
    opened: list[str] = Field(description="Patients opened in an emergency.")
    seconds_left: int


def router(flow: Flow) -> APIRouter:
    """The routes of one application's launches."""
    made = APIRouter(tags=["SMART 登录"])

    @made.get("/smart/launch", include_in_schema=False)
    async def launch(request: Request, iss: str = "", launch: str = "") -> Response:
        """EHR launch: the record's system opens this with its address and a launch id."""
        return await _begin(flow, request, iss, launch)

    @made.get("/smart/login", include_in_schema=False)
    async def login(request: Request, server: str = "") -> Response:
        """Standalone: the doctor comes here first and chooses the patient at the log-in."""
        servers = flow.settings.servers
        return await _begin(flow, request, server or (servers[0] if len(servers) == 1 else ""), "")

    @made.get(CALLBACK, include_in_schema=False)
    async def callback(
        request: Request,
        parts: ServicesDep,
        state: Annotated[str, Query(max_length=500)] = "",
        code: Annotated[str, Query(max_length=4000)] = "",
        error: Annotated[str, Query(max_length=500)] = "",
    ) -> Response:
        """Where the log-in sends the doctor back to."""
        begun = flow.sessions.come_back(state, request.cookies.get(LAUNCH_COOKIE, ""))
        if begun is None:
            return refused(
                "登录未完成或已用过，请重新打开。(This log-in is old or was used; open it again.)",
                400,
            )
        if error or not code:
            return refused("登录被取消或拒绝。(The log-in was cancelled or refused.)", 403)
        try:
            session = await flow.finish(begun, code)
        except LaunchRefused as problem:
            return refused(str(problem), problem.status)
        await asyncio.to_thread(_note, parts.store, session, "session.open")
        name = await asyncio.to_thread(flow.sessions.open, session)
        answer = RedirectResponse("/smart/session", 303)
        answer.delete_cookie(LAUNCH_COOKIE, path="/smart")
        _set(answer, request, flow.address(request), COOKIE, name, "/")
        return answer

    @made.get("/smart/session", include_in_schema=False)
    async def page(request: Request, parts: ServicesDep) -> Response:
        """Who is logged in, for whom, and the drafts of that patient."""
        name = cookie(request.headers)
        session = await asyncio.to_thread(flow.sessions.find, name)
        if session is None:
            return refused("没有登录，请从病历系统打开。(Not logged in; open this there.)", 401)
        try:
            session = await _current(flow, name, session)
        except LaunchRefused as problem:
            await asyncio.to_thread(flow.sessions.close, name)
            return refused(str(problem), problem.status)
        return session_page(session, await asyncio.to_thread(_drafts, parts, session))

    @made.post("/smart/refresh", include_in_schema=False)
    async def refresh(request: Request) -> Response:
        """Renew the access; 204, or a page that says why not."""
        name = cookie(request.headers)
        session = await asyncio.to_thread(flow.sessions.find, name)
        if session is None or not _is_own_site(request):
            return refused("没有登录。(Not logged in.)", 401)
        try:
            await asyncio.to_thread(flow.sessions.change, name, await flow.refreshed(session))
        except LaunchRefused as problem:
            await asyncio.to_thread(flow.sessions.close, name)
            return refused(str(problem), problem.status)
        return Response(status_code=204)

    @made.post("/smart/break-glass", include_in_schema=False)
    async def break_glass(request: Request, parts: ServicesDep) -> Response:
        """Open another patient in an emergency, with a reason; it is in the audit."""
        name = cookie(request.headers)
        session = await asyncio.to_thread(flow.sessions.find, name)
        if session is None or session.until < time.time() or not _is_own_site(request):
            return refused("没有登录或已过期。(Not logged in, or the session has ended.)", 401)
        form = await _form(request)
        patient, stay, reason = (form.get(n, "") for n in ("patient_id", "encounter_id", "reason"))
        valid = _ID.fullmatch(patient) and (not stay or _ID.fullmatch(stay))
        if not valid or len(reason.strip()) < _LEAST_REASON:
            return refused(
                "请填写患者编号和至少 10 个字的理由。(Give the patient and a longer reason.)",
                422,
            )
        context = Context(session.actor_id, session.role, patient, stay)
        # In the audit first: nobody sees what nothing says was opened.
        await asyncio.to_thread(
            parts.store.audit.record, context, "patient.break_glass", "patient", "", reason
        )
        await asyncio.to_thread(flow.sessions.open_also, name, patient, stay)
        return RedirectResponse("/smart/session", 303)

    @made.post("/smart/logout", include_in_schema=False)
    async def logout(request: Request, parts: ServicesDep) -> Response:
        """End the session here, and at the log-in where that has an address for it."""
        name = cookie(request.headers) if _is_own_site(request) else ""
        session = await asyncio.to_thread(flow.sessions.close, name)
        answer: Response = refused("已退出。(Logged out.)", 200)
        if session is not None:
            await asyncio.to_thread(_note, parts.store, session, "session.close")
            if _is_safe(session.endpoints.end_session):
                answer = RedirectResponse(session.endpoints.end_session, 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    @made.get("/v1/session", responses=documented(404))
    async def shown(request: Request, who: ActorDep) -> SessionShown:
        """The caller's session; 404 for a caller with a key."""
        session = request.scope.get(SCOPE_KEY)
        if not isinstance(session, Session):
            raise Problem(404, "没有会话：以 API key 调用。(There is no session.)")
        return SessionShown(
            actor_id=session.actor_id,
            role=session.role,
            patient_id=session.patient_id,
            encounter_id=session.encounter_id,
            opened=[patient for patient, _ in session.opened],
            seconds_left=max(0, int(session.until - time.time())),
        )

    return made


async def _begin(flow: Flow, request: Request, base: str, launch: str) -> Response:
    redirect = f"{flow.address(request)}{CALLBACK}"
    try:
        address, begun = await flow.begin(base, launch[:2000], redirect)
    except LaunchRefused as problem:
        return refused(str(problem), problem.status)
    answer = RedirectResponse(address, 302)
    _set(answer, request, flow.address(request), LAUNCH_COOKIE, begun.browser, "/smart")
    return answer


async def _current(flow: Flow, name: str, session: Session) -> Session:
    """The session, renewed where its access has ended.  Raises `LaunchRefused`."""
    if session.until > time.time():
        return session
    session = await flow.refreshed(session)
    await asyncio.to_thread(flow.sessions.change, name, session)
    return session


def _set(
    answer: Response, request: Request, address: str, name: str, value: str, path: str
) -> None:
    secure = urlsplit(address).scheme == "https"
    answer.set_cookie(name, value, path=path, httponly=True, secure=secure, samesite="lax")


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form as a browser sends it, bounded by the limit on bodies."""
    from urllib.parse import parse_qsl

    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, max_num_fields=10))
    except ValueError:
        return {}


def _is_own_site(request: Request) -> bool:
    return request.headers.get("sec-fetch-site", "same-origin") in _SAME_SITE


def _is_safe(address: str) -> bool:
    if not address:
        return False
    try:
        check_address(address)
    except LaunchRefused:
        return False
    return True


def _note(store: Store, session: Session, action: str) -> None:
    context = Context(session.actor_id, session.role, session.patient_id, session.encounter_id)
    store.audit.record(context, action, "session")


def _drafts(parts: Any, session: Session) -> list[tuple[str, str, str]]:
    context = Context(session.actor_id, session.role, session.patient_id, session.encounter_id)
    shown = []
    for row in parts.store.drafts.list(context, None, limit=50):
        task = parts.tasks.get(row.kind)
        state = "已签名" if row.signed_at else "已回填" if row.accepted_at else "草稿"
        title = " ".join(p for p in (task.title.zh if task else row.kind, row.section) if p)
        shown.append((title, f"{row.created_at:%Y-%m-%d %H:%M}", state))
    return shown


def flow_of(settings: Settings, store: Store) -> Flow:
    """The launches and sessions of an application with these settings."""
    return Flow(settings.smart, Sessions(store.smart_sessions))
