"""Two processes answer the hooks of one server: on one port, with one store."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, cast

import httpx
import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fhir_standin import bundle, call, drug, prefetch
from sqlalchemy import select

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.interop.hooks.processes.pool import Pool
from assistant.interop.hooks.processes.request_head import share_of
from assistant.interop.settings import HookClient, HookSettings
from assistant.settings import Settings
from assistant.store import Store
from assistant.store.models.card import CardRow

SIGN = "/cds-services/bedside-order-sign"
ISSUER = "https://emr.example"
KEY = ec.generate_private_key(ec.SECP384R1())
BASE = "https://bedside.example"


REFUSED = 'route="/cds-services/{service_id}",status="401"} 7.0'


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("nothing came of it in a minute")


@dataclass
class Served:
    port: int
    pool: Pool
    store: Store

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_for_both(self) -> None:
        wait_until(lambda: len(self.pool.ready) == 2)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, home)
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
    client = HookClient(name="emr", issuer=ISSUER, keys=[public | {"kid": "k"}])
    settings = Settings(
        home=home,
        engines={"demo": EngineSettings(kind="echo", demo_only=True)},
        encoder="hashing",
        hooks=HookSettings(base_url=BASE, clients=[client], processes=2, card_seconds=60),
    )
    app = build_app(settings, with_ui=False)
    pool = app.state.hook_pool = Pool(settings, app.state.metrics, warms=False)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_level="error", http=cast(Any, pool.door)
    )
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    wait_until(lambda: running.started)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield Served(port, pool, app.state.services.store)
    processes = pool.ready
    running.should_exit = True
    thread.join()
    assert not [one for one in processes if Path(f"/proc/{one}").exists()]


def token() -> dict[str, str]:
    now = int(time.time())
    claims = {
        "iss": ISSUER,
        "aud": f"{BASE}{SIGN}",
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
    }
    signed = jwt.encode(claims, KEY, "ES384", headers={"kid": "k"})
    return {"Authorization": f"Bearer {signed}", "Content-Type": "application/json"}


def signing(number: int, history: str = "青霉素过敏") -> bytes:
    """A call about the patient with this number, who is allergic to what is ordered."""
    patient = f"pat-{number}"
    text = json.dumps(prefetch(f"既往史：{history}。"))
    sent = json.loads(text.replace("pat-1", patient))
    order = bundle(drug("rx1", "注射用青霉素钠", patient, "draft"))
    return json.dumps(call("order-sign", sent, patientId=patient, draftOrders=order)).encode()


def shares(numbers: range) -> set[int | None]:
    return {share_of(signing(number), 2) for number in numbers}


def test_a_connection_that_is_kept_goes_where_its_next_request_belongs(server: Served) -> None:
    server.wait_for_both()
    assert shares(range(6)) == {0, 1}
    kept = HTTPConnection("127.0.0.1", server.port, timeout=60)
    found = []
    for number in range(6):
        for method, path, body in (
            ("POST", SIGN, signing(number)),
            ("GET", "/cds-services", None),
            ("OPTIONS", SIGN, None),
        ):
            kept.request(method, path, body, token() if body else {})
            answer = kept.getresponse()
            found.append((method, answer.status, answer.read().count(b'"critical"')))
            assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert Counter(found) == {("POST", 200, 1): 6, ("GET", 200, 0): 6, ("OPTIONS", 204, 0): 6}


def test_a_request_that_comes_piece_by_piece_is_answered(server: Served) -> None:
    body = signing(1)
    lines = [f"{name}: {value}" for name, value in token().items()]
    head = [f"POST {SIGN} HTTP/1.1", "Host: 127.0.0.1", *lines, f"Content-Length: {len(body)}"]
    whole = "\r\n".join([*head, "Connection: close", "", ""]).encode() + body
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as door:
        for piece in (whole[:3], whole[3:15], whole[15:400], whole[400:]):
            door.sendall(piece)
            time.sleep(0.02)
        answer = b"".join(iter(lambda: door.recv(65_536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"critical" in answer


async def test_a_token_is_answered_once_whichever_process_has_it(server: Served) -> None:
    server.wait_for_both()
    given = token()
    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        answers = await asyncio.gather(
            *(
                client.post(server.address + SIGN, content=signing(number), headers=given)
                for number in range(8)
            )
        )
        async with asyncio.timeout(60):
            while REFUSED not in (await client.get(f"{server.address}/metrics")).text:
                await asyncio.sleep(0.1)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 7}
    assert server.store.audit.verify().ok


async def test_many_patients_at_once_get_their_own_and_each_call_is_audited_once(
    server: Served,
) -> None:
    def audited() -> int:
        rows = server.store.audit.list(limit=500)
        return sum(row.action == "hook.order-sign" for row in rows)

    async def one(client: httpx.AsyncClient, number: int) -> tuple[int, list[str]]:
        body = signing(number, "青霉素过敏" if number % 2 == 0 else "否认青霉素过敏")
        answer = await client.post(server.address + SIGN, content=body, headers=token())
        return number, [card["uuid"] for card in answer.json()["cards"]]

    before = audited()
    async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
        found = await asyncio.gather(*(one(client, number) for number in range(1000, 1100)))
    assert all(len(cards) == (number % 2 == 0) for number, cards in found)
    ids = [card for _, cards in found for card in cards]
    assert len(set(ids)) == len(ids)
    assert audited() - before == 100
    assert server.store.audit.verify().ok


async def test_a_process_that_is_killed_loses_nothing_that_was_answered(server: Served) -> None:
    server.wait_for_both()
    before = set(server.pool.ready)

    async def one(client: httpx.AsyncClient, number: int) -> list[str]:
        try:
            answer = await client.post(
                server.address + SIGN, content=signing(number), headers=token()
            )
        except httpx.TransportError:
            return []
        return [card["uuid"] for card in answer.json()["cards"]]

    async with httpx.AsyncClient(timeout=60, trust_env=False) as client:
        calls = [asyncio.create_task(one(client, number)) for number in range(100, 140)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        os.kill(min(before), signal.SIGKILL)
        found = [await each for each in calls]
        # Whoever was cut off asks again, and is answered at once by those that are left.
        again = [number for number, ids in zip(range(100, 140), found, strict=True) if not ids]
        found += [await one(client, number) for number in again]
    assert sum(map(bool, found)) == 40
    with server.store.database.read() as session:
        kept = set(session.scalars(select(CardRow.id)))
    assert {card for ids in found for card in ids} <= kept
    assert server.store.audit.verify().ok
    server.wait_for_both()
    assert len(set(server.pool.ready) - before) == 1
