"""fhirclient, which nobody here wrote, reads what is served, over real HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import uvicorn
from fhirclient.models.composition import Composition
from fhirclient.models.condition import Condition
from fhirclient.server import FHIRServer

from assistant.application import build_app
from assistant.settings import Settings


@pytest.fixture
def base(settings: Settings, free_port: int) -> Iterator[str]:
    app = build_app(settings, with_ui=False)
    config = uvicorn.Config(app, host="127.0.0.1", port=free_port, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{free_port}"
    server.should_exit = True
    thread.join(20)


def test_search_capability_and_read(base: str, case: dict[str, Any]) -> None:
    job = httpx.post(
        f"{base}/v1/differential-diagnoses", params={"wait": True}, json=case, timeout=60
    ).json()
    server = FHIRServer(None, base_uri=f"{base}/fhir")
    statement = server.capabilityStatement
    assert statement.fhirVersion == "4.0.1"
    query = {"patient": "Patient/pat-1", "encounter": "enc-1"}
    found = Composition.where(query).perform_resources(server)
    assert {c.id for c in found} == {d["id"] for d in job["drafts"]}
    assert all(c.meta.security[0].code == "AIAST" for c in found)
    conditions = Condition.where({**query, "_count": "100"}).perform_resources(server)
    assert conditions
    server.session.headers["X-Patient-Id"] = "pat-1"
    server.session.headers["X-Encounter-Id"] = "enc-1"
    one = Composition.read(found[0].id, server)
    assert one.title.startswith("【AI草稿】")
