"""The same over a real connection, with many at once."""

from __future__ import annotations

import asyncio
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn
from fhir_standin import bundle, call, drug, prefetch

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.interop.settings import HookSettings
from assistant.settings import Settings


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[str]:
    home = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, home)
    settings = Settings(
        home=home,
        engines={"demo": EngineSettings(kind="echo", demo_only=True)},
        encoder="hashing",
        hooks=HookSettings(unsecured=True, card_seconds=60),
    )
    app = build_app(settings, with_ui=False)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_the_list_and_a_card(address: str) -> None:
    listed = httpx.get(f"{address}/cds-services", timeout=60).json()["services"]
    assert {"bedside-order-sign"} <= {service["id"] for service in listed}
    orders = bundle(drug("rx1", "注射用青霉素钠", status="draft"))
    answer = httpx.post(
        f"{address}/cds-services/bedside-order-sign",
        json=call("order-sign", draftOrders=orders),
        timeout=60,
    )
    assert [card["indicator"] for card in answer.json()["cards"]] == ["critical"]


async def test_many_patients_at_once_get_their_own(address: str) -> None:
    async def one(client: httpx.AsyncClient, number: int) -> tuple[int, list[str]]:
        allergic = number % 2 == 0
        note = "既往史：青霉素过敏。" if allergic else "既往史：否认青霉素过敏。"
        text = str(prefetch(note)).replace("pat-1", f"pat-{number}")
        import ast

        sent = ast.literal_eval(text)
        order = drug("rx1", "注射用青霉素钠", f"pat-{number}", "draft")
        body = call("order-sign", sent, patientId=f"pat-{number}", draftOrders=bundle(order))
        answer = await client.post(f"{address}/cds-services/bedside-order-sign", json=body)
        return number, [card["uuid"] for card in answer.json()["cards"]]

    async with httpx.AsyncClient(timeout=120) as client:
        found = await asyncio.gather(*(one(client, number) for number in range(40)))
    assert all(len(cards) == (number % 2 == 0) for number, cards in found)
    ids = [card for _, cards in found for card in cards]
    assert len(set(ids)) == len(ids)
