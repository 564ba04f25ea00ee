"""Every route of the OpenAPI document, whatever it is: closed to all who have no good token, and
to a good one of another patient.  A route that is new is asked as well."""

from __future__ import annotations

import base64
import json
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from attachment_samples import page
from cryptography.hazmat.primitives.asymmetric import ec
from fhir_standin import call
from oidc_provider import Provider, running
from openapi_requests import Operation, operations
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.interop.embed.grant import Grant, signed
from assistant.interop.hooks import routes as hook_routes
from assistant.interop.settings import EmbedSettings, HookClient, HookSettings, SmartSettings
from assistant.interop.smart.session import Sessions
from assistant.settings import Settings
from assistant.store.cards import NewCard
from assistant.store.context import Context

HOST = "http://127.0.0.1"
EMR = "http://emr.example"
BASE = "https://bedside.example"
ISSUER = "https://issuer.example"
SECRET_WORD = "只属于甲的一句话"
MINE = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}

OPEN = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /cds-services",
    "GET /fhir/metadata",
}
"""What anybody may read: nothing of it is about a patient."""

UNLISTED = {
    "/openapi.json",
    "/docs",
    "/docs/{name}",
    "/cds-services",
    "/cds-services/{service_id}",
    "/cds-services/{service_id}/feedback",
    "/embed/{task}",
    "/embed/bedside-embed.js",
    "/embed/page.js",
    "/embed/page.css",
    "/smart/launch",
    "/smart/login",
    "/smart/callback",
    "/smart/session",
    "/smart/refresh",
    "/smart/break-glass",
    "/smart/logout",
}
"""Routes that the document leaves out; their tests are beside this one (hooks, smart, embed)."""


@dataclass
class Ward:
    """An application with a record of pat-1, and what tokens are made of."""

    app: Any
    client: TestClient
    key: ec.EllipticCurvePrivateKey
    sessions: Sessions
    provider: Provider
    known: dict[str, str]
    operations: list[Operation]

    def browser(self, cookie: str = "") -> TestClient:
        found = TestClient(self.app, base_url=HOST, follow_redirects=False)
        if cookie:
            found.cookies.set("bedside_smart", cookie)
        return found


def log_in(app: Any, provider: Provider, patient: str, encounter: str) -> str:
    """The cookie of a launch for this patient."""
    provider.answer = {"patient": patient, "encounter": encounter}
    browser = TestClient(app, base_url=HOST, follow_redirects=False)
    sent = browser.get("/smart/launch", params={"iss": provider.base, "launch": "l1"})
    query = {k: v[0] for k, v in parse_qs(urlsplit(sent.headers["location"]).query).items()}
    browser.get(provider.authorize(query).removeprefix(HOST))
    return browser.cookies["bedside_smart"]


@pytest.fixture(scope="module")
def ward(
    tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path, empty_database: Path
) -> Iterator[Ward]:
    home = tmp_path_factory.mktemp("ward")
    shutil.copy(empty_database, home)
    (home / "knowledge").symlink_to(knowledge_folder)
    key = ec.generate_private_key(ec.SECP384R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    own = HookClient(name="emr", issuer=ISSUER, keys=[{**public, "kid": "k", "alg": "ES384"}])
    with running() as provider, pytest.MonkeyPatch.context() as patch:
        patch.setattr(hook_routes, "WARM_AFTER", 3600.0)
        settings = Settings(
            home=home,
            engines={"demo": EngineSettings(kind="echo", demo_only=True)},
            encoder="hashing",
            hooks=HookSettings(base_url=BASE, clients=[own], card_seconds=60),
            smart=SmartSettings(servers=[provider.base], roles={"physician": "doctor"}),
            embed=EmbedSettings(origins=[EMR]),
        )
        app = build_app(settings, with_ui=False)
        with TestClient(app, base_url=HOST, raise_server_exceptions=False) as client:
            listed = list(operations(app.openapi()))
            sessions = Sessions(app.state.services.store.smart_sessions)
            found = Ward(app, client, key, sessions, provider, {}, listed)
            found.known = seeded(found)
            yield found


def seeded(ward: Ward) -> dict[str, str]:
    """A record of pat-1 made by her own doctor: by the names of parameters, what it is called."""
    browser = ward.browser(log_in(ward.app, ward.provider, "pat-1", "enc-1"))
    case = {
        "patient": {"id": "pat-1", "name": "测试甲", "sex": "male", "age_text": "30岁"},
        "encounter_id": "enc-1",
        "chief_complaint": "发热、咳嗽3天",
        "present_illness": f"3天前受凉后发热，体温最高39.2℃，咳嗽，咳黄痰。{SECRET_WORD}。",
    }
    work = "/v1/differential-diagnoses"
    job = browser.post(work, params={"wait": True}, json=case).json()
    draft = job["drafts"][0]
    said = {"draft_id": draft["id"], "verdict": "like", "comment": SECRET_WORD}
    assert browser.post("/v1/feedback", json=said).status_code == 201
    png = {"Content-Type": "image/png"}
    upload = browser.post("/v1/attachments", content=page(), headers=png)
    note = {"id": "n1", "kind": "admission", "text": f"主诉：咳嗽。{SECRET_WORD}。"}
    record = {"id": "enc-1", "patient": case["patient"], "notes": [note]}
    talk = browser.post("/v1/record-qa/conversations", json={"encounter": record}).json()
    store = ward.app.state.services.store
    card = NewCard("alert", "allergy", "k1")
    (card_id,) = store.cards.show(Context("doc-7", "doctor", "pat-1", "enc-1"), "s", "a", [card])
    return {
        "patient_id": "pat-1",
        "patient": "pat-1",
        "encounter_id": "enc-1",
        "encounter": "enc-1",
        "draft_id": draft["id"],
        "job_id": job["id"],
        "identifier": draft["id"],
        "kind": "Composition",
        "attachment_id": upload.json()["id"],
        "conversation_id": talk["id"],
        "card_id": card_id,
        "statement_id": "s1",
        "service_id": "bedside-patient-view",
    }


def of_client(ward: Ward, key: Any = None, algorithm: str = "ES384", **changes: Any) -> str:
    """A token as a client of hooks signs it, for one service."""
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": f"{BASE}/cds-services/bedside-order-sign",
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
        **changes,
    }
    return jwt.encode(claims, key or ward.key, algorithm, headers={"kid": "k"})


def unsigned(token: str) -> str:
    """The token with the algorithm none."""
    head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT","kid":"k"}').rstrip(b"=").decode()
    return f"{head}.{token.split('.')[1]}."


def used(ward: Ward) -> str:
    """A token that was good, once."""
    token = of_client(ward)
    place = "/cds-services/bedside-order-sign"
    orders = {"resourceType": "Bundle", "entry": []}
    body = call("order-sign", draftOrders=orders)
    headers = {"Authorization": f"Bearer {token}"}
    assert ward.client.post(place, json=body, headers=headers).status_code == 200
    return token


def of_page(ward: Ward, purpose: Any = "page", seconds: int = 300, patient: str = "pat-1") -> str:
    """The token of an embedded page."""
    grant = Grant("doc-7", "doctor", patient, "enc-1", "differential_diagnosis", EMR)
    return signed(ward.app.state.services.store, grant, purpose, seconds)[0]


def revoked(ward: Ward) -> str:
    keys = ward.app.state.services.store.api_keys
    key_id, secret = keys.create("cdss", "system", "test")
    keys.revoke(key_id)
    return str(secret)


def changed_cookie(ward: Ward, **changes: Any) -> str:
    """The cookie of a session that was good and is not any more."""
    name = log_in(ward.app, ward.provider, "pat-1", "enc-1")
    session = ward.sessions.find(name)
    assert session is not None
    ward.sessions.change(name, replace(session, **changes))
    return name


def ended_cookie(ward: Ward) -> str:
    name = log_in(ward.app, ward.provider, "pat-1", "enc-1")
    ward.sessions.close(name)
    return name


Credential = Callable[[Ward], Mapping[str, str]]


def bearer(make: Callable[[Ward], str]) -> Credential:
    return lambda ward: {"Authorization": f"Bearer {make(ward)}"}


def by_cookie(make: Callable[[Ward], str]) -> Credential:
    return lambda ward: {"Cookie": f"bedside_smart={make(ward)}"}


NO_GOOD: dict[str, Credential] = {
    "nobody": lambda ward: {},
    "key that is none": bearer(lambda ward: "bsk_forged"),
    "key that was revoked": bearer(revoked),
    "algorithm none": bearer(lambda ward: unsigned(of_client(ward))),
    "another key": bearer(lambda ward: of_client(ward, ec.generate_private_key(ec.SECP384R1()))),
    "a shared secret": bearer(lambda ward: of_client(ward, "secret " * 8, "HS256")),
    "another audience": bearer(of_client),
    "expired": bearer(lambda ward: of_client(ward, iat=1_000, exp=1_300)),
    "replayed": bearer(used),
    "page's launch": bearer(lambda ward: of_page(ward, "launch")),
    "page that expired": bearer(lambda ward: of_page(ward, seconds=-60)),
    "page's with none": bearer(lambda ward: unsigned(of_page(ward))),
    "cookie that is none": by_cookie(lambda ward: "forged"),
    "cookie that expired": by_cookie(lambda ward: changed_cookie(ward, until=0.0)),
    "cookie that was left": by_cookie(ended_cookie),
}


@pytest.mark.parametrize("credential", NO_GOOD)
def test_no_route_is_open_to_a_token_that_is_no_good(ward: Ward, credential: str) -> None:
    headers = NO_GOOD[credential](ward)
    wrong = {}
    for one in ward.operations:
        if one.name in OPEN:
            continue
        asked = one.request(ward.known)
        answer = ward.client.request(
            **{**asked, "headers": {**asked.get("headers", {}), **headers, **MINE}}
        )
        if answer.status_code != 401 or SECRET_WORD in answer.text:
            wrong[one.name] = answer.status_code
    assert wrong == {}


def names_her(request: Mapping[str, Any], known: Mapping[str, str]) -> bool:
    """Whether a request asks for pat-1 or for something of hers."""
    told = json.dumps([request["url"], request.get("params"), request.get("json")])
    own = ("patient_id", "draft_id", "job_id", "attachment_id", "conversation_id", "card_id")
    return any(known[name] in told for name in own)


def hers(browser: TestClient, known: Mapping[str, str]) -> list[Any]:
    """What there is of pat-1."""
    job, draft = known["job_id"], known["draft_id"]
    places = (
        f"/v1/differential-diagnoses/{job}",
        f"/v1/drafts/{draft}",
        "/v1/drafts",
        "/v1/feedback",
        "/v1/attachments",
        f"/v1/record-qa/conversations/{known['conversation_id']}",
    )
    answers = [browser.get(path) for path in places]
    assert [a.status_code for a in answers] == [200] * len(places)
    return [a.json() for a in answers]


def test_no_route_tells_a_session_of_another_patient(ward: Ward) -> None:
    own = ward.browser(log_in(ward.app, ward.provider, "pat-1", "enc-1"))
    other = ward.browser(log_in(ward.app, ward.provider, "pat-2", "enc-2"))
    before = hers(own, ward.known)
    assert SECRET_WORD in json.dumps(before, ensure_ascii=False)
    wrong: dict[str, Any] = {}
    asked_for_her = 0
    for one in ward.operations:
        if one.name in OPEN:
            continue
        asked = one.request(ward.known)
        sent = asked.pop("headers", {})
        plain = other.request(**asked, headers=sent)
        swapped = other.request(**asked, headers={**sent, **MINE})
        about_her = names_her(asked, ward.known)
        asked_for_her += about_her
        told = SECRET_WORD in plain.text or SECRET_WORD in swapped.text
        given = about_her and plain.status_code < 400
        if told or given or swapped.status_code not in (401, 403) or plain.status_code >= 500:
            wrong[one.name] = (plain.status_code, swapped.status_code, told)
    assert wrong == {}
    assert asked_for_her > len(ward.operations) / 2
    assert hers(own, ward.known) == before


def test_the_same_requests_are_answered_to_her_own_session(ward: Ward) -> None:
    """Else the test above would be content with requests that nobody is given."""
    own = ward.browser(log_in(ward.app, ward.provider, "pat-1", "enc-1"))
    reading = [one for one in ward.operations if one.method == "get" and one.name not in OPEN]
    given = {one.name for one in reading if own.request(**one.request(ward.known)).is_success}
    assert {
        "GET /v1/drafts/{draft_id}",
        "GET /v1/differential-diagnoses/{job_id}",
        "GET /v1/attachments/{attachment_id}",
        "GET /v1/record-qa/conversations/{conversation_id}",
        "GET /fhir/{kind}/{identifier}",
    } <= given


def test_no_route_tells_an_embedded_page_of_another_patient(ward: Ward) -> None:
    headers = {"Authorization": f"Bearer {of_page(ward, patient='pat-2')}"}
    wrong = {}
    for one in ward.operations:
        if one.name in OPEN:
            continue
        asked = one.request(ward.known)
        answer = ward.client.request(
            **{**asked, "headers": {**asked.get("headers", {}), **headers, **MINE}}
        )
        expected = (
            {"/v1/embed/state": 200, "/v1/embed/requests": 422}.get(one.path, 404)
            if one.path.startswith("/v1/embed/")
            else 401
        )
        if SECRET_WORD in answer.text or answer.status_code not in (expected, 401):
            wrong[one.name] = (answer.status_code, expected)
    assert wrong == {}


def test_what_the_document_leaves_out_is_known(ward: Ward) -> None:
    listed = {one.path for one in ward.operations}
    routes = {getattr(route, "path", "").replace(":path}", "}") for route in ward.app.routes}
    # The last routes of /v1 and /fhir answer what is none; a mount has its own.
    assert routes - listed - {"", "/v1/{rest}", "/fhir/{rest}"} <= UNLISTED
