"""The addresses of the small EMR's log-in, and the page on which a standalone launch chooses."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import FastAPI, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from assistant.sandbox.hospital import USERS, Hospital
from assistant.sandbox.log_in import LoggedIn, LogIn, LogInRefused

ACCESS_SECONDS = 300
Seconds = Annotated[int, Query(ge=1, le=3600)]


def serve(app: FastAPI, hospital: Hospital, log_in: LogIn) -> None:
    """Add them to the EMR."""

    @app.exception_handler(LogInRefused)
    async def _refused(request: Request, error: LogInRefused) -> Response:
        hospital.log("in", f"SMART {request.url.path}", answer=str(error))
        if request.method == "POST":
            return JSONResponse({"error": str(error)}, 400)
        sentence = f"登录请求不能接受，请重新打开。(The log-in cannot go on: {error}.)"
        return _page("无法登录 Not logged in", f"<p role=alert>{escape(sentence)}</p>", 400)

    @app.get("/fhir/.well-known/smart-configuration")
    @app.get("/.well-known/openid-configuration")
    def configuration() -> Response:
        return JSONResponse(log_in.configuration())

    @app.get("/log-in/keys")
    def keys() -> Response:
        return JSONResponse(log_in.keys())

    @app.get("/launch")
    def launch(stay: str, user: str, seconds: Seconds = ACCESS_SECONDS) -> Response:
        """EHR launch: the user of the page opens Bedside for the stay that is open there."""
        name = log_in.launch(_logged_in(hospital, user, stay, seconds))
        hospital.log("out", f"SMART launch {stay} {user}")
        query = urlencode({"iss": log_in.fhir, "launch": name})
        return RedirectResponse(f"{log_in.application}/smart/launch?{query}", 303)

    @app.get("/log-in/authorize")
    def authorize(request: Request) -> Response:
        asked = dict(request.query_params)
        log_in.check(asked)
        if "launch" in asked:
            return _back(log_in, log_in.launched(asked["launch"]), asked)
        return _page("登录 Log in", _choice(hospital, asked), 200)

    @app.post("/log-in/authorize")
    async def chosen(request: Request) -> Response:
        form = await _form(request)
        user, stay = form.pop("user", ""), form.pop("stay", "")
        seconds = form.pop("seconds", str(ACCESS_SECONDS))
        if not seconds.isdigit():
            raise LogInRefused("invalid_request")
        return _back(log_in, _logged_in(hospital, user, stay, int(seconds)), form)

    @app.post("/log-in/token")
    async def token(request: Request) -> Response:
        form = await _form(request)
        answer = log_in.tokens(form)
        hospital.log("in", f"SMART token {form.get('grant_type', '')}", answer="HTTP 200")
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    @app.get("/log-in/out")
    def out() -> Response:
        return _page("已退出 Logged out", "<p>已从病历系统退出。(Logged out.)</p>", 200)

    @app.post("/log-in/end")
    def end() -> dict[str, bool]:
        """End all log-ins, as at the end of a shift: no access is renewed any more."""
        log_in.end_all()
        return {"ok": True}


def _logged_in(hospital: Hospital, user: str, stay: str, seconds: int) -> LoggedIn:
    who = next((one for one in USERS if one["id"] == user), None)
    found = hospital.stays.get(stay)
    if who is None or found is None:
        raise LogInRefused("invalid_request")
    return LoggedIn(who, found.encounter, seconds)


def _back(log_in: LogIn, who: LoggedIn, asked: Mapping[str, str]) -> Response:
    """To the application, with a code."""
    query = urlencode({"code": log_in.code(who, asked), "state": asked.get("state", "")})
    return RedirectResponse(f"{asked['redirect_uri']}?{query}", 303)


def _choice(hospital: Hospital, asked: Mapping[str, str]) -> str:
    hidden = "".join(
        f'<input type=hidden name="{escape(name)}" value="{escape(value)}">'
        for name, value in asked.items()
    )
    users = "".join(f"<option value={u['id']}>{escape(u['name'])}" for u in USERS)
    stays = "".join(
        f"<option value={e.id}>{escape(e.patient.name or e.patient.id)} {escape(e.department)}"
        for e in (stay.encounter for stay in hospital.stays.values())
    )
    return (
        f"<form method=post action=/log-in/authorize>{hidden}"
        f"<p><label>用户 <select name=user>{users}</select></label>"
        f"<p><label>患者 <select name=stay>{stays}</select></label>"
        "<p><button>登录</button></form>"
    )


async def _form(request: Request) -> dict[str, str]:
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, max_num_fields=30))
    except ValueError:
        raise LogInRefused("invalid_request") from None


def _page(title: str, body: str, status: int) -> Response:
    return HTMLResponse(
        f"<!doctype html><html lang=zh-CN><meta charset=utf-8><title>{escape(title)}</title>"
        f"<h1>{escape(title)}（沙盒 sandbox）</h1>{body}",
        status,
    )
