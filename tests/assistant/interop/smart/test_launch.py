"""SMART App Launch against a log-in on loopback: who gets a session, and what it may see."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from oidc_provider import Provider, running
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.interop.settings import SmartSettings
from assistant.interop.smart.flow import Flow
from assistant.interop.smart.problem import LaunchRefused
from assistant.interop.smart.session import Sessions
from assistant.settings import Settings

HOST = "http://127.0.0.1"


@pytest.fixture(scope="module")
def started() -> Iterator[Provider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(started: Provider) -> Provider:
    started.claims, started.answer, started.algorithm = {}, {}, "RS256"
    started.signer, started.methods = None, ["S256"]
    return started


@pytest.fixture(scope="module")
def app(
    started: Provider,
    tmp_path_factory: pytest.TempPathFactory,
    knowledge_folder: Path,
    empty_database: Path,
) -> Iterator[Any]:
    """One for all tests of the file: each has a browser of its own."""
    home = tmp_path_factory.mktemp("smart")
    shutil.copy(empty_database, home)
    (home / "knowledge").symlink_to(knowledge_folder)
    settings = Settings(
        home=home,
        engines={"demo": EngineSettings(kind="echo", demo_only=True)},
        encoder="hashing",
        smart=SmartSettings(
            servers=[started.base], roles={"physician": "doctor", "nurse": "nurse"}
        ),
    )
    made = build_app(settings, with_ui=False)
    with TestClient(made, base_url=HOST):
        yield made


@pytest.fixture
def browser(app: Any) -> TestClient:
    return TestClient(app, base_url=HOST, follow_redirects=False)


def begin(browser: TestClient, provider: Provider, **query: str) -> dict[str, str]:
    """What the log-in is asked, the browser having been sent there."""
    sent = browser.get("/smart/launch", params={"iss": provider.base, "launch": "l1", **query})
    assert sent.status_code == 302, sent.text
    address = urlsplit(sent.headers["location"])
    assert sent.headers["location"].startswith(f"{provider.base}/authorize?")
    return {name: values[0] for name, values in parse_qs(address.query).items()}


def log_in(browser: TestClient, provider: Provider) -> httpx.Response:
    back = provider.authorize(begin(browser, provider))
    return browser.get(back.removeprefix(HOST))


def test_a_launch_asks_for_what_the_specification_says(
    browser: TestClient, provider: Provider
) -> None:
    asked = begin(browser, provider)
    assert asked["response_type"] == "code"
    assert asked["code_challenge_method"] == "S256"
    assert asked["aud"] == provider.base
    assert asked["launch"] == "l1"
    assert {"openid", "fhirUser", "launch"} <= set(asked["scope"].split())
    alone = browser.get("/smart/login")
    query = parse_qs(urlsplit(alone.headers["location"]).query)
    assert "launch/patient" in query["scope"][0]
    assert "launch" not in query
    assert query["nonce"] != [asked["nonce"]]


def test_a_session_is_a_doctor_with_one_patient(
    browser: TestClient, provider: Provider, app: Any, case: dict[str, Any]
) -> None:
    assert browser.get("/v1/drafts").status_code == 401, "a key or a log-in is needed"
    back = log_in(browser, provider)
    assert (back.status_code, back.headers["location"]) == (303, "/smart/session")
    cookie = back.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    page = browser.get("/smart/session")
    assert "doc-7（医师）" in page.text
    assert "pat-1" in page.text
    shown = browser.get("/v1/session").json()
    assert (shown["actor_id"], shown["role"], shown["patient_id"]) == ("doc-7", "doctor", "pat-1")
    job = browser.post("/v1/differential-diagnoses", params={"wait": True}, json=case)
    assert job.status_code == 200
    listed = browser.get("/v1/drafts").json()
    assert {draft["patient_id"] for draft in listed} == {"pat-1"}, "of the session's patient"
    assert browser.get("/fhir/Composition").json()["entry"]
    assert "鉴别诊断" in browser.get("/smart/session").text


def test_a_session_sees_nobody_else(
    browser: TestClient, provider: Provider, case: dict[str, Any]
) -> None:
    log_in(browser, provider)
    other = {"X-Patient-Id": "pat-2"}
    for path in (
        "/v1/drafts",
        "/fhir/Composition",
        "/v1/hl7/encounters/enc-1",
        "/v1/attachments",
        "/v1/feedback",
    ):
        assert browser.get(path, headers=other).status_code == 403, path
    assert browser.get("/fhir/Composition", params={"patient": "pat-2"}).status_code == 409
    assert browser.get("/v1/drafts", headers={"X-Encounter-Id": "enc-9"}).status_code == 403
    others = {**case, "patient": {**case["patient"], "id": "pat-2"}}
    assert browser.post("/v1/differential-diagnoses", json=others).status_code == 409
    assert browser.post("/v1/fhir/notifications", json={}).status_code == 403
    assert browser.get("/v1/audit").status_code == 403
    forged = {"X-Actor-Id": "doc-1", "X-Actor-Role": "admin"}
    assert browser.get("/v1/session", headers=forged).json()["actor_id"] == "doc-7"


FORGED: list[dict[str, Any]] = [
    {"claims": {"iss": "https://elsewhere.example"}},
    {"claims": {"aud": "another-app"}},
    {"claims": {"aud": ["bedside", "another-app"]}},
    {"claims": {"nonce": "old"}},
    {"claims": {"nonce": None}},
    {"claims": {"exp": int(time.time()) - 3600}},
    {"claims": {"exp": None}},
    {"claims": {"sub": None}},
    {"claims": {"iat": int(time.time()) + 3600}},
    {"algorithm": "none"},
    {"algorithm": "HS256", "signer": "a shared secret that is long enough for it"},
    {"signer": rsa.generate_private_key(65537, 2048)},
    {"answer": {"id_token": "rubbish"}},
    {"answer": {"id_token": None}},
    {"answer": {"patient": None}},
    {"answer": {"patient": "../x"}},
    {"claims": {"roles": ["janitor"]}},
    {"claims": {"roles": None}},
    {"claims": {"roles": "admin"}},
]


@pytest.mark.parametrize("forged", FORGED)
def test_forged_expired_and_foreign_tokens_open_nothing(
    browser: TestClient, provider: Provider, forged: dict[str, Any]
) -> None:
    for name, value in forged.items():
        setattr(provider, name, value)
    back = log_in(browser, provider)
    assert back.status_code in (401, 403, 502)
    assert "无法打开" in back.text
    assert "Traceback" not in back.text
    assert browser.get("/smart/session").status_code == 401
    assert browser.get("/v1/drafts").status_code == 401


def test_a_doctor_without_the_right_reads_why(browser: TestClient, provider: Provider) -> None:
    provider.claims = {"roles": ["janitor"]}
    assert "没有使用本系统的权限" in log_in(browser, provider).text


def test_a_log_in_counts_once_and_in_its_own_browser(
    browser: TestClient, provider: Provider, app: Any
) -> None:
    asked = begin(browser, provider)
    back = provider.authorize(asked).removeprefix(HOST)
    another = TestClient(app, base_url=HOST, follow_redirects=False)
    assert another.get(back).status_code == 400, "somebody else's log-in"
    assert browser.get(back).status_code == 400, "the state was used"
    assert browser.get("/smart/callback?code=x&state=y").status_code == 400
    asked = begin(browser, provider)
    refused = browser.get("/smart/callback", params={"state": asked["state"], "error": "denied"})
    assert refused.status_code == 403


def test_only_servers_of_the_settings_launch(browser: TestClient, provider: Provider) -> None:
    for base in ("https://elsewhere.example", "", "file:///etc/passwd", f"{provider.base}.x"):
        answer = browser.get("/smart/launch", params={"iss": base, "launch": "x"})
        assert answer.status_code == 403
        assert "没有登记" in answer.text


async def test_without_pkce_there_is_no_launch(provider: Provider) -> None:
    provider.methods = ["plain"]
    flow = Flow(SmartSettings(servers=[provider.base]), Sessions())
    with pytest.raises(LaunchRefused, match="PKCE"):
        await flow.begin(provider.base, "l1", f"{HOST}/smart/callback")


@pytest.mark.parametrize("place", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
async def test_endpoints_in_plain_http_elsewhere_are_not_used(place: str) -> None:
    base = "https://his.example/fhir"
    places = {
        "issuer": base,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "jwks_uri": f"{base}/jwks",
        "code_challenge_methods_supported": ["S256"],
    } | {place: "http://his.example/x"}
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=places))
    flow = Flow(SmartSettings(servers=[base]), Sessions(), transport)
    with pytest.raises(LaunchRefused, match="https"):
        await flow.begin(base, "l1", f"{HOST}/smart/callback")


def test_a_changed_key_is_asked_for_anew(browser: TestClient, provider: Provider) -> None:
    log_in(browser, provider)
    before = provider.key, provider.kid
    provider.key, provider.kid = rsa.generate_private_key(65537, 2048), "k2"
    try:
        assert log_in(browser, provider).status_code == 303
    finally:
        provider.key, provider.kid = before


def test_access_ends_is_renewed_and_ends_at_the_logout(
    browser: TestClient, provider: Provider
) -> None:
    provider.answer = {"expires_in": 0}
    log_in(browser, provider)
    assert browser.get("/v1/drafts").status_code == 401, "the access has ended"
    provider.answer = {"expires_in": 300}
    assert browser.get("/smart/session").status_code == 200
    assert browser.get("/v1/drafts").status_code == 200, "the page renewed it"
    provider.answer = {"patient": "pat-2"}
    assert browser.post("/smart/refresh").status_code == 401, "another patient is another session"
    provider.answer = {}
    log_in(browser, provider)
    name = browser.cookies["bedside_smart"]
    out = browser.post("/smart/logout")
    assert (out.status_code, out.headers["location"]) == (303, f"{provider.base}/bye")
    browser.cookies.set("bedside_smart", name)
    assert browser.get("/v1/drafts").status_code == 401, "a kept cookie opens nothing"


def test_break_glass_needs_a_reason_and_is_in_the_audit_and_on_the_page(
    browser: TestClient, provider: Provider, app: Any
) -> None:
    log_in(browser, provider)
    other = {"X-Patient-Id": "pat-2"}
    short = {"patient_id": "pat-2", "reason": "急"}
    assert browser.post("/smart/break-glass", data=short).status_code == 422
    assert browser.get("/v1/drafts", headers=other).status_code == 403
    said = {"patient_id": "pat-2", "reason": "患者昏迷被送来抢救，需立即查看过敏史"}
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert browser.post("/smart/break-glass", data=said, headers=foreign).status_code == 401
    assert browser.post("/smart/break-glass", data=said).status_code == 303
    assert browser.get("/v1/drafts", headers=other).status_code == 200
    assert browser.get("/v1/drafts", headers={"X-Patient-Id": "pat-3"}).status_code == 403
    assert "紧急访问 break-glass：pat-2" in browser.get("/smart/session").text
    store = app.state.services.store
    rows = store.audit.list(patient_id="pat-2")
    opened = [row for row in rows if row.action == "patient.break_glass"]
    assert [row.actor_id for row in opened] == ["doc-7"]
    assert store.audit.is_of(opened[0], said["reason"])


def test_another_sites_request_is_refused(
    browser: TestClient, provider: Provider, case: dict[str, Any]
) -> None:
    log_in(browser, provider)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = browser.post("/v1/differential-diagnoses", json=case, headers=foreign)
    assert answer.status_code == 403


def test_machines_keep_their_keys(browser: TestClient, app: Any) -> None:
    _, secret = app.state.services.store.api_keys.create("cdss", "system", "test")
    headers = {"Authorization": f"Bearer {secret}", "X-Patient-Id": "pat-1"}
    assert browser.get("/v1/drafts", headers=headers).status_code == 200
    assert browser.get("/v1/session", headers=headers).status_code == 404


def test_a_session_survives_a_restart_and_is_sealed_on_the_disk(
    browser: TestClient, provider: Provider, app: Any
) -> None:
    log_in(browser, provider)
    name = browser.cookies["bedside_smart"]
    settings = app.state.services.settings
    with TestClient(build_app(settings, with_ui=False), base_url=HOST) as again:
        again.cookies.set("bedside_smart", name)
        assert again.get("/v1/session").json()["patient_id"] == "pat-1"
        assert again.get("/v1/drafts", headers={"X-Patient-Id": "pat-2"}).status_code == 403
        again.post("/smart/logout", follow_redirects=False)
    assert browser.get("/v1/drafts").status_code == 401, "what ended there has ended here"
    log_in(browser, provider)
    files = b"".join(f.read_bytes() for f in settings.home.glob("bedside.db*"))
    for secret in (browser.cookies["bedside_smart"], '"r1"', "refresh_token"):
        assert secret.encode() not in files, secret


def test_a_row_in_anothers_place_opens_nothing(
    browser: TestClient, provider: Provider, app: Any
) -> None:
    from sqlalchemy import select

    from assistant.store.models.smart_session import SmartSessionRow

    store = app.state.services.store
    log_in(browser, provider)
    with store.database.write() as session:
        rows = session.scalars(select(SmartSessionRow)).all()
        sealed = [row.content for row in rows]
        for row, other in zip(rows, [*sealed[1:], sealed[0]], strict=True):
            row.content = other
    assert len(sealed) > 1
    assert browser.get("/v1/drafts").status_code == 401


def test_what_tells_of_many_patients_is_refused(browser: TestClient, provider: Provider) -> None:
    log_in(browser, provider)
    searched = browser.post("/v1/record-searches", json={"query": "肺炎"})
    assert searched.status_code == 403
    assert browser.get("/v1/adoption").status_code == 403


def test_the_store_itself_refuses_another_patient() -> None:
    import contextvars

    from assistant.store import Context
    from assistant.store.context import bind
    from assistant.store.errors import PatientNotInSession

    def bound() -> None:
        bind([("pat-1", "enc-1"), ("pat-9", "")])
        for patient, stay in (("pat-1", "enc-1"), ("pat-1", ""), ("pat-9", "enc-4"), ("", "")):
            Context("doc-7", "doctor", patient, stay)
        for patient, stay in (("pat-2", ""), ("pat-1", "enc-2")):
            with pytest.raises(PatientNotInSession):
                Context("doc-7", "doctor", patient, stay)

    contextvars.copy_context().run(bound)
    Context("doc-7", "doctor", "pat-2")


def test_anothers_work_its_events_and_exports_are_not_there(
    browser: TestClient, provider: Provider, app: Any, case: dict[str, Any]
) -> None:
    log_in(browser, provider)
    job = browser.post("/v1/differential-diagnoses", params={"wait": True}, json=case).json()
    draft = job["drafts"][0]["id"]
    places = (
        f"/v1/differential-diagnoses/{job['id']}",
        f"/v1/differential-diagnoses/{job['id']}/events",
        f"/v1/drafts/{draft}",
        f"/fhir/Composition/{draft}",
    )
    for path in places:
        assert browser.get(path).status_code == 200, path
    provider.answer = {"patient": "pat-2", "encounter": "enc-2"}
    other = TestClient(app, base_url=HOST, follow_redirects=False)
    log_in(other, provider)
    for path in places:
        assert other.get(path).status_code == 404, path
        swapped = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
        assert other.get(path, headers=swapped).status_code == 403, path
    for path in ("/v1/adoption/export.csv", "/v1/audit", "/fhir/AuditEvent"):
        assert other.get(path).status_code == 403, path
    said = {"action": "confirmed"}
    assert other.post(f"/v1/drafts/{draft}/statements/s1", json=said).status_code in (404, 405)
    assert other.post(f"/v1/drafts/{draft}/signature", json={"text": "x"}).status_code == 404
