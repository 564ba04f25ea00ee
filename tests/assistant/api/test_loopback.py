"""Who goes without a key: a client on this machine, and nobody who comes through a proxy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import HTTPConnection
from starlette.testclient import TestClient

from assistant.application import build_app, open_store
from assistant.commands.doctor import examine
from assistant.loopback import is_direct
from assistant.settings import Settings

AUDITOR = {"X-Actor-Id": "aud-1", "X-Actor-Role": "auditor"}
FORWARDED = (
    {"X-Forwarded-For": "10.20.30.40"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Proto": "https"},
    {"X-Forwarded-Host": "127.0.0.1"},
    {"Forwarded": "for=10.20.30.40"},
    {"X-Real-IP": "10.20.30.40"},
    {"Via": "1.1 proxy"},
    {"True-Client-IP": "10.20.30.40"},
    {"CF-Connecting-IP": "10.20.30.40"},
    {"Origin": "https://bedside.hospital.example"},
    {"Origin": "null"},
)
NAMED = {"allowed_hosts": ["bedside.hospital.example"]}


def opened(settings: Settings, *, with_ui: bool = False, **changes: object) -> TestClient:
    app = build_app(settings.model_copy(update=changes), with_ui=with_ui)
    return TestClient(app, base_url="http://127.0.0.1", follow_redirects=False)


@pytest.fixture
def pages(settings: Settings) -> Iterator[TestClient]:
    with opened(settings, with_ui=True) as client:
        yield client


@pytest.mark.parametrize("forwarded", FORWARDED)
def test_what_a_proxy_passes_on_needs_a_key(client: TestClient, forwarded: dict[str, str]) -> None:
    assert client.get("/v1/audit", headers=AUDITOR).status_code == 200
    for path in ("/v1/audit", "/v1/models", "/v1/knowledge/search?q=肺炎"):
        assert client.get(path, headers=AUDITOR | forwarded).status_code == 401, path
    drafts = client.get("/v1/drafts", headers={"X-Patient-Id": "pat-1"} | forwarded)
    assert drafts.status_code == 401


def test_a_key_opens_the_way_through_a_proxy(client: TestClient) -> None:
    store = client.app.state.services.store  # type: ignore[attr-defined]
    _, key = store.api_keys.create("aud-1", "auditor", "test")
    headers = {"Authorization": f"Bearer {key}", "X-Forwarded-For": "10.20.30.40"}
    assert client.get("/v1/audit", headers=headers).status_code == 200


def test_another_host_name_makes_every_request_need_a_key(settings: Settings) -> None:
    with opened(settings, **NAMED) as client:
        for host in ("bedside.hospital.example", "127.0.0.1"):
            assert client.get("/v1/audit", headers=AUDITOR | {"Host": host}).status_code == 401
        assert client.get("/readyz").json()["api_keys"] == "every request"


def test_a_name_of_loopback_among_the_allowed_hosts_changes_nothing() -> None:
    assert not Settings(allowed_hosts=["localhost", "127.0.0.1", "[::1]"]).keys_required
    assert Settings(allowed_hosts=["localhost", "bedside.hospital.example"]).keys_required
    assert Settings(allowed_hosts=["*"]).keys_required


def test_without_keys_by_the_settings_only_this_machine_goes_without(settings: Settings) -> None:
    with opened(settings, require_api_key=False, **NAMED) as client:
        assert client.get("/v1/audit", headers=AUDITOR).status_code == 200
        named = AUDITOR | {"Host": "bedside.hospital.example"}
        assert client.get("/v1/audit", headers=named).status_code == 401
        far = TestClient(client.app, base_url="http://127.0.0.1", client=("10.20.30.40", 5000))
        assert far.get("/v1/audit", headers=AUDITOR).status_code == 401


@pytest.mark.parametrize("bearer", ["EMPTY", "sk-none"])
def test_any_bearer_is_the_local_user_until_there_is_a_key(client: TestClient, bearer: str) -> None:
    headers = AUDITOR | {"Authorization": f"Bearer {bearer}"}
    assert client.get("/v1/audit", headers=headers).status_code == 200
    assert client.get("/v1/audit", headers=headers | {"Via": "1.1 p"}).status_code == 401
    store = client.app.state.services.store  # type: ignore[attr-defined]
    key_id, _ = store.api_keys.create("dr-li", "doctor", "test")
    assert client.get("/v1/audit", headers=headers).status_code == 401
    assert client.get("/v1/audit", headers=AUDITOR).status_code == 200
    store.api_keys.revoke(key_id)
    assert client.get("/v1/audit", headers=headers).status_code == 200


@pytest.mark.parametrize("forwarded", FORWARDED)
def test_the_pages_ask_for_a_key_by_the_same_rule(
    pages: TestClient, forwarded: dict[str, str]
) -> None:
    assert pages.get("/").status_code == 200
    assert pages.get("/gradio_api/user").json() == "doctor:demo-doctor"
    shown = pages.get("/", headers=forwarded)
    assert (shown.status_code, shown.headers["location"]) == (303, "sign-in")
    for path in ("/config", "/gradio_api/info", "/theme.css", "/gradio_api/user"):
        assert pages.get(path, headers=forwarded).status_code == 401, path
    headers = forwarded | {"X-Patient-Id": "pat-1"}
    assert pages.get("/pages/structured/x/csv", headers=headers).status_code == 401


def test_who_signs_in_through_a_proxy_is_the_owner_of_the_key(pages: TestClient) -> None:
    store = pages.app.state.services.store  # type: ignore[attr-defined]
    _, key = store.api_keys.create("dr-lin", "doctor", "test")
    through = {"X-Forwarded-For": "10.20.30.40"}
    assert pages.post("/sign-in", data={"key": key}, headers=through).status_code == 303
    assert pages.get("/gradio_api/user", headers=through).json() == "doctor:dr-lin"


@pytest.mark.parametrize(
    ("peer", "host", "version", "direct"),
    [
        (("127.0.0.1", 5), "127.0.0.1:8000", "1.1", True),
        (("::1", 5), "[::1]:8000", "1.1", True),
        (("::ffff:127.0.0.1", 5), "LOCALHOST", "1.1", True),
        (("10.0.0.9", 5), "127.0.0.1", "1.1", False),
        (("127.0.0.1", 5), "bedside.hospital.example", "1.1", False),
        (("127.0.0.1", 5), "127.0.0.1.hospital.example", "1.1", False),
        (("127.0.0.1", 5), "127.0.0.1@hospital.example", "1.1", False),
        (("127.0.0.1", 5), "[", "1.1", False),
        (("127.0.0.1", 5), "", "1.1", False),
        (("127.0.0.1", 5), None, "1.1", False),
        # nginx's own default: HTTP/1.0, and the host of its upstream.
        (("127.0.0.1", 5), "127.0.0.1:8000", "1.0", False),
        # A Unix socket.
        (None, "localhost", "1.1", False),
    ],
)
def test_what_is_a_direct_request(
    peer: tuple[str, int] | None, host: str | None, version: str, direct: bool
) -> None:
    headers = [] if host is None else [(b"host", host.encode())]
    scope = {"type": "http", "client": peer, "headers": headers, "http_version": version}
    assert is_direct(HTTPConnection(scope)) is direct


def test_doctor_says_who_needs_a_key_and_that_there_is_none(
    settings: Settings, tmp_path: Path
) -> None:
    def told(**changes: object) -> tuple[str, str]:
        checks = examine(settings.model_copy(update=changes))
        check = next(check for check in checks if check.name == "API keys")
        return check.value, check.advice

    value, advice = told()
    assert "require_api_key = true" in value
    assert not advice
    value, advice = told(**NAMED)
    assert "every request" in value
    assert "bedside key create" in advice
    store = open_store(settings)
    store.api_keys.create("dr-lin", "doctor", "test")
    store.close()
    assert not told(**NAMED)[1]
