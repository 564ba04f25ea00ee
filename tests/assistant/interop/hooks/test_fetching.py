"""Reading from a FHIR server: what it may be asked, and what a bad one can do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from fhir_standin import about, bundle, call, document, drug, patient
from loopback_server import Served, served
from starlette.testclient import TestClient

from assistant.interop.settings import HookSettings

VIEW = "/cds-services/bedside-patient-view"
TOKEN = "token-of-the-hook"


class Server:
    """A FHIR server of one patient; ``changed`` answers instead, by the beginning of a path."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.tokens: set[str | None] = set()
        self.changed: dict[str, Callable[[str], Served]] = {}

    def __call__(self, path: str, headers: Mapping[str, str]) -> Served:
        self.asked.append(path)
        self.tokens.add(headers.get("Authorization"))
        for beginning, answer in self.changed.items():
            if path.startswith(beginning):
                return answer(path)
        if path.startswith("/fhir/Patient/"):
            return resource(patient())
        if path.startswith("/fhir/Encounter"):
            return resource(bundle(about("Encounter", "enc-1", status="in-progress")))
        if path.startswith("/fhir/MedicationRequest"):
            return resource(bundle(drug("m1", "注射用青霉素钠")))
        if path.startswith("/fhir/DocumentReference"):
            return resource(bundle(document("n1", "既往史：青霉素过敏。")))
        return resource(bundle())


def resource(value: Any) -> Served:
    return Served(json.dumps(value).encode())


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, str]]:
    found = Server()
    with served(found) as address:
        yield found, f"{address}/fhir"


@pytest.fixture
def server(running: tuple[Server, str]) -> Server:
    found = running[0]
    found.asked.clear()
    found.tokens.clear()
    found.changed.clear()
    return found


@pytest.fixture
def address(running: tuple[Server, str]) -> str:
    return running[1]


@pytest.fixture(scope="module")
def hooks(serve: Callable[[HookSettings], TestClient], running: tuple[Server, str]) -> TestClient:
    return serve(
        HookSettings(
            unsecured=True,
            fhir_servers=[running[1]],
            card_seconds=60,
            fetch_seconds=5,
            fetch_pages=5,
            fetch_bytes=50_000,
        )
    )


def asking(address: str, sent: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    given = {
        "access_token": TOKEN,
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/*.read",
        "subject": "bedside",
    }
    body = call("patient-view", sent or {}) | {"fhirServer": address, "fhirAuthorization": given}
    return body | more


def test_what_the_prefetch_lacks_is_read_with_the_token(
    hooks: TestClient, server: Server, address: str
) -> None:
    sent = {"patient": patient(), "allergies": None, "conditions": bundle()}
    answer = hooks.post(VIEW, json=asking(f"{address}/", sent))
    assert answer.status_code == 200
    assert [c["source"]["topic"]["code"] for c in answer.json()["cards"]] == ["allergy"]
    assert server.tokens == {f"Bearer {TOKEN}"}
    kinds = {path.removeprefix("/fhir/").partition("?")[0] for path in server.asked}
    assert {"MedicationRequest", "AllergyIntolerance"} <= kinds
    assert not kinds & {"Patient/pat-1", "Condition"}, "what was sent is not read again"


def test_an_error_in_the_prefetch_is_read_again(
    hooks: TestClient, server: Server, address: str
) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": []}
    answer = hooks.post(VIEW, json=asking(address, {"patient": outcome}))
    assert answer.status_code == 200
    assert "/fhir/Patient/pat-1" in server.asked


def test_pages_are_followed(hooks: TestClient, server: Server, address: str) -> None:
    more = [{"relation": "next", "url": f"{address}/more?page=2"}]
    server.changed["/fhir/MedicationRequest"] = lambda p: resource(bundle(link=more))
    server.changed["/fhir/more"] = lambda p: resource(bundle(drug("m1", "注射用青霉素钠")))
    answer = hooks.post(VIEW, json=asking(address))
    assert len(answer.json()["cards"]) == 1


def next_page(url: str) -> Callable[[str], Served]:
    return lambda path: resource(bundle(link=[{"relation": "next", "url": url}]))


def test_a_next_page_never_leads_elsewhere(hooks: TestClient, server: Server, address: str) -> None:
    secret = Server()
    root = address.removesuffix("/fhir")
    with served(secret) as other:
        for url in (
            f"{other}/fhir/x",
            f"//{other.removeprefix('http://')}/fhir/x",
            f"{root}/admin",
            f"{root}/fhirx",
            f"{address}/../admin",
            f"http://user@{address.removeprefix('http://')}/x",
            "file:///etc/hostname",
            f"{address}\\@{other.removeprefix('http://')}/",
        ):
            server.changed["/fhir/Condition"] = next_page(url)
            assert hooks.post(VIEW, json=asking(address)).status_code == 412, url
        server.changed["/fhir/Condition"] = lambda p: Served(
            b"", status=302, headers={"Location": f"{other}/fhir/x"}
        )
        assert hooks.post(VIEW, json=asking(address)).status_code == 412
    assert not secret.asked, "no other server heard of it, or of the token"
    assert not [path for path in server.asked if "admin" in path]


def test_only_allowed_servers_are_asked(hooks: TestClient, address: str) -> None:
    secret = Server()
    with served(secret) as other:
        for url in (other, f"{other}/fhir", f"{address}@{other}", f"{address}x", "http://[::1"):
            answer = hooks.post(VIEW, json=asking(url))
            assert answer.status_code == 403, url
    assert not secret.asked


@pytest.mark.parametrize(
    "answer",
    [
        Served(b"{", 200),
        Served(b"[1]"),
        Served(b'{"resourceType": 3}'),
        Served(b"<html>"),
        Served(b"", status=500),
        Served(b"", status=401),
        Served(b" " * 60_000),
        Served(b"[" * 40_000),
    ],
)
def test_a_server_that_is_down_or_broken_is_412(
    hooks: TestClient, server: Server, address: str, answer: Served
) -> None:
    server.changed["/fhir/Observation"] = lambda path: answer
    assert hooks.post(VIEW, json=asking(address)).status_code == 412


def test_pages_in_circles_and_without_end_are_412(
    hooks: TestClient, server: Server, address: str
) -> None:
    server.changed["/fhir/Condition"] = next_page(f"{address}/Condition?again")
    assert hooks.post(VIEW, json=asking(address)).status_code == 412
    pages = iter(range(10_000))
    server.changed["/fhir/Condition"] = lambda p: next_page(f"{address}/Condition?{next(pages)}")(p)
    assert hooks.post(VIEW, json=asking(address)).status_code == 412
    assert next(pages) < 20


def test_a_server_that_gives_another_patient_is_refused_and_audited(
    hooks: TestClient, server: Server, address: str
) -> None:
    for beginning, value in (
        ("/fhir/Patient/", patient("pat-2")),
        ("/fhir/MedicationRequest", bundle(drug("m1", "注射用青霉素钠", "pat-2"))),
    ):
        server.changed = {beginning: lambda path, value=value: resource(value)}  # type: ignore[misc]
        answer = hooks.post(VIEW, json=asking(address))
        assert (answer.status_code, "cards" in answer.json()) == (412, False)
    store = hooks.app.state.services.store  # type: ignore[attr-defined]
    refused = [r for r in store.audit.list(limit=2) if r.action == "hook.refused"]
    assert len(refused) == 2, "the last two rows"


def test_a_token_for_another_patient_is_not_used(
    hooks: TestClient, server: Server, address: str
) -> None:
    body = asking(address)
    body["fhirAuthorization"]["patient"] = "pat-2"
    assert hooks.post(VIEW, json=body).status_code == 412
    assert not server.asked


def endless(address: str) -> Callable[[str], Served]:
    """A thousand pages, each of them slow."""

    def page(path: str) -> Served:
        number = int(path.rpartition("?")[2]) if "?page" in path else 0
        link = [{"relation": "next", "url": f"{address}/Condition?page?{number + 1}"}]
        return Served(json.dumps(bundle(link=link)).encode(), delay=0.4)

    return page


@pytest.mark.parametrize("how", ["slow", "endless", "drips"])
def test_a_server_that_takes_its_time_costs_no_more_than_is_set(
    hooks: TestClient, server: Server, address: str, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    own = hooks.app.state.services.settings.hooks  # type: ignore[attr-defined]
    monkeypatch.setattr(own, "fetch_seconds", 0.5)
    monkeypatch.setattr(own, "fetch_pages", 1_000)
    server.changed["/fhir/Condition"] = {
        "slow": lambda path: Served(b"{}", delay=2),
        "endless": endless(address),
        "drips": lambda path: Served(b" " * 5_000 + b"{}", drip=0.1),
    }[how]
    answer = hooks.post(VIEW, json=asking(address))
    assert answer.status_code == 412
    assert "未在时限内" in answer.json()["detail"]
    assert len(server.asked) < 20


def test_a_server_that_does_not_answer_delays_its_own_call_and_nobody_else(
    hooks: TestClient, server: Server, address: str
) -> None:
    released = threading.Event()

    def held(path: str) -> Served:
        released.wait(60)
        return Served(b"", status=500)

    server.changed["/fhir/Condition"] = held
    statuses: list[int] = []
    slow = threading.Thread(
        target=lambda: statuses.append(hooks.post(VIEW, json=asking(address)).status_code)
    )
    own = hooks.app.state.services.settings.hooks  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "fetch_seconds", 120.0)
        slow.start()
        while not any(path.startswith("/fhir/Condition") for path in server.asked):
            time.sleep(0.01)
        assert hooks.post(VIEW, json=call("patient-view")).status_code == 200
        assert statuses == [], "the other one still waits"
        released.set()
        slow.join()
    assert statuses == [412]


def test_a_server_that_is_not_there_is_412(
    hooks: TestClient, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = hooks.app.state.services.settings.hooks  # type: ignore[attr-defined]
    nowhere = f"http://127.0.0.1:{free_port}/fhir"
    monkeypatch.setattr(own, "fhir_servers", [nowhere])
    answer = hooks.post(VIEW, json=asking(nowhere))
    assert answer.status_code == 412
    assert "无法访问" in answer.json()["detail"]
