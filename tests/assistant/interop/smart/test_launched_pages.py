"""The pages under a session of the hospital's log-in know whose it is, and refuse others."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import gradio as gr
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from assistant.interop.smart.provider import Endpoints
from assistant.interop.smart.session import Session as Launched
from assistant.settings import Settings
from assistant.store import Context
from assistant.store.errors import PatientNotInSession
from assistant.ui import sign_in
from assistant.ui.case_form import new_identity
from assistant.ui.frame import _who
from assistant.ui.host import Host
from assistant.ui.record_search import found_html
from assistant.ui.session import Session, identify
from assistant.ui.strings import Text

Result = TypeVar("Result")
OPENED = (("pat-9", ""),)


def launched(**changes: Any) -> Launched:
    now = time.time()
    told = {
        "actor_id": "doc-7",
        "role": "doctor",
        "base": "https://his.example/fhir",
        "patient_id": "pat-1",
        "encounter_id": "enc-1",
        "until": now + 300,
        "most": now + 3600,
        "endpoints": Endpoints("i", "a", "t", "j"),
        "opened": OPENED,
    }
    return Launched(**{**told, **changes})


class Kept:
    """Sessions by the value of their cookie."""

    def __init__(self, **sessions: Launched) -> None:
        self.sessions = sessions

    def find(self, name: str) -> Launched | None:
        return self.sessions.get(name)


@pytest.fixture
def sessions() -> sign_in.Sessions:
    nobody = SimpleNamespace(verify=lambda key: None)
    settings = Settings(smart={"servers": ["https://his.example/fhir"]})
    parts: Any = SimpleNamespace(settings=settings, store=SimpleNamespace(api_keys=nobody))
    kept: Any = Kept(good=launched(), over=launched(until=time.time() - 1))
    return sign_in.Sessions(parts, kept)


def asked(cookie: str = "") -> Request:
    headers = [(b"cookie", f"bedside_smart={cookie}".encode())] if cookie else []
    return Request(
        {"type": "http", "headers": headers, "client": ("127.0.0.1", 5), "method": "GET"}
    )


def within(user: str | None, work: Callable[[], Result]) -> Result:
    """What a handler of a page does for this user."""

    def run() -> Result:
        request: Any = SimpleNamespace(username=user)
        identify(Session(), request)
        return work()

    return contextvars.copy_context().run(run)


async def test_the_cookie_of_a_launch_says_who_it_is(sessions: sign_in.Sessions) -> None:
    assert await sessions.user(asked("good")) == "doctor:doc-7;pat-1/enc-1;pat-9/"
    for name in ("over", "forged", ""):
        assert await sessions.user(asked(name)) is None, name


async def test_a_page_is_for_the_patients_of_the_launch(sessions: sign_in.Sessions) -> None:
    user = await sessions.user(asked("good"))

    def work() -> None:
        Context("doc-7", "doctor", "pat-1", "enc-1")
        Context("doc-7", "doctor", "pat-9", "enc-3")
        for patient, stay in (("pat-2", ""), ("pat-1", "enc-2")):
            with pytest.raises(PatientNotInSession, match="紧急访问"):
                Context("doc-7", "doctor", patient, stay)

    within(user, work)
    within("doctor:doc-1", lambda: Context("doc-1", "doctor", "pat-2"))


async def test_a_new_form_is_of_the_patient_of_the_launch(sessions: sign_in.Sessions) -> None:
    user = await sessions.user(asked("good"))
    assert within(user, new_identity) == ("pat-1", "enc-1")
    assert within("doctor:doc-1", new_identity)[0] not in ("pat-1", "")


async def test_the_top_of_the_page_names_the_patient(sessions: sign_in.Sessions) -> None:
    user = await sessions.user(asked("good"))

    def top() -> str:
        session = Session()
        request: Any = SimpleNamespace(username=user)
        identify(session, request)
        return _who(session, Text("zh"))

    shown = contextvars.copy_context().run(top)
    assert "pat-1 enc-1" in shown
    assert "pat-9" in shown
    assert "smart/session" in shown


async def test_records_of_others_are_not_searched(sessions: sign_in.Sessions) -> None:
    user = await sessions.user(asked("good"))
    parts: Any = SimpleNamespace(store=None)
    actor: Any = SimpleNamespace(id="doc-7", role="doctor")
    assert "一名患者" in within(user, lambda: found_html(parts, actor, "肺炎", Text("zh")))


async def test_documents_of_pages_are_bound_as_well() -> None:
    async def user(request: Request) -> str:
        return "doctor:doc-7;pat-1/enc-1"

    parts: Any = None
    who = await Host(parts, user).clinician(asked())
    assert who.id == "doc-7"
    with pytest.raises(PatientNotInSession):
        Context(who.id, who.role, "pat-2")


def test_nobody_is_no_user() -> None:
    request: Any = SimpleNamespace(username=None)
    with pytest.raises(gr.Error):
        identify(Session(), request)


def test_a_session_that_is_over_leads_to_its_renewal(sessions: sign_in.Sessions) -> None:
    app = FastAPI()
    app.mount("/", sign_in.Guard(PlainTextResponse("pages"), sessions))
    with TestClient(app, follow_redirects=False) as browser:
        browser.cookies.set("bedside_smart", "good")
        assert browser.get("/").text == "pages"
        browser.cookies.set("bedside_smart", "over")
        assert browser.get("/").headers["location"] == "smart/session"
        assert browser.post("/gradio_api/queue/join").status_code == 401
        browser.cookies.clear()
        assert browser.get("/").headers["location"] == "sign-in"
