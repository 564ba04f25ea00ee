"""Two model servers behind one engine: one is killed under load, and no accepted job is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.engine_settings import EngineSettings
from assistant.settings import PanelMember, Settings

DDX = "/v1/differential-diagnoses"
MODEL_SERVER = """
import sys, uvicorn
from fastapi import FastAPI
from serving.engines.echo import EchoEngine
from serving.openai.api import router
app = FastAPI()
app.include_router(router({"echo": EchoEngine(seconds_per_word=float(sys.argv[2]))}))
uvicorn.run(app, port=int(sys.argv[1]), log_level="critical")
"""


def start(port: int, delay: float = 0.2) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", MODEL_SERVER, str(port), str(delay)])
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return process
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise AssertionError("the model server did not start")


@pytest.fixture
def ports() -> list[int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]


@pytest.fixture
def servers(ports: list[int]) -> Iterator[list[subprocess.Popen[bytes]]]:
    running = [start(port) for port in ports]
    yield running
    for process in running:
        process.kill()
        process.wait()


def test_a_killed_model_server_loses_no_accepted_job(
    settings: Settings, case: dict[str, Any], ports: list[int], servers: list[Any]
) -> None:
    urls = [f"http://127.0.0.1:{port}/v1" for port in ports]
    ward = EngineSettings(kind="remote", model="echo", urls=urls)
    chosen = settings.model_copy(
        update={
            "engines": {"ward": ward},
            "default_engine": "ward",
            "panel": [PanelMember(name="甲", engine="ward")],
            "jobs": 6,
        }
    )
    with TestClient(build_app(chosen, with_ui=False), base_url="http://127.0.0.1") as client:
        jobs = {}
        for number in range(6):
            job = client.post(DDX, json=case | {"encounter_id": f"enc-{number}"})
            assert job.status_code == 202
            jobs[f"enc-{number}"] = job.json()["id"]
        running = _running(client)
        for _ in range(200):
            running = _running(client)
            if sum(running.values()) == len(jobs):
                break
            time.sleep(0.1)
        busiest = max(running, key=lambda url: running[url])
        victim = urls.index(busiest)
        os.kill(servers[victim].pid, signal.SIGKILL)
        servers[victim].wait()

        for encounter, job in jobs.items():
            headers = {"X-Patient-Id": "pat-1", "X-Encounter-Id": encounter}
            for _ in range(600):
                found = client.get(f"{DDX}/{job}", headers=headers).json()
                if found["status"] == "finished":
                    break
                time.sleep(0.1)
            members = {draft["member"]: draft for draft in found["drafts"]}
            assert len(found["drafts"]) == 2, "each draft once"
            assert members["甲"]["warnings"] == [], "the other server has answered"
        states = {one["name"]: one["state"] for one in client.get(REPLICAS).json()}
        assert states == {busiest: "down", urls[1 - victim]: "ready"}

        servers[victim] = start(ports[victim])
        for _ in range(600):
            states = {one["name"]: one["state"] for one in client.get(REPLICAS).json()}
            if states[busiest] == "ready":
                break
            time.sleep(0.1)
        assert states[busiest] == "ready"


REPLICAS = "/v1/engines/ward/replicas"


def _running(client: TestClient) -> dict[str, int]:
    return {one["name"]: one["running"] for one in client.get(REPLICAS).json()}


def test_a_replica_is_drained_by_an_administrator(settings: Settings) -> None:
    urls = ["http://127.0.0.1:9/v1", "http://127.0.0.1:10/v1"]
    engines = {
        "ward": EngineSettings(kind="remote", model="m", urls=urls),
        "one": EngineSettings(kind="echo"),
    }
    chosen = settings.model_copy(update={"engines": engines, "default_engine": "one"})
    admin = {"X-Actor-Id": "boss", "X-Actor-Role": "admin"}
    with TestClient(build_app(chosen, with_ui=False), base_url="http://127.0.0.1") as client:
        assert client.get("/v1/engines/one/replicas").json() == []
        assert client.get("/v1/engines/none/replicas").status_code == 404
        place = f"{REPLICAS}/{urls[0]}"
        assert client.put(place, json={"draining": True}).status_code == 403
        shown = client.put(place, json={"draining": True}, headers=admin)
        assert [one["state"] for one in shown.json()] == ["draining", "ready"]
        assert (
            client.put(f"{REPLICAS}/x", json={"draining": True}, headers=admin).status_code == 404
        )
        rows = client.get("/v1/audit", headers=admin).json()
        assert "replica.drain" in {row["action"] for row in rows}
        client.put(place, json={"draining": False}, headers=admin)
        assert [one["state"] for one in client.get(REPLICAS).json()] == ["ready", "ready"]
