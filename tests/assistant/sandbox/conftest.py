"""A running Bedside and, in a process of its own, the small EMR beside it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import warm_process
from browser_visit import ARGUMENTS, LOCAL, Server, chromium, start
from playwright.sync_api import BrowserContext, sync_playwright

from assistant.opening import open_store
from assistant.settings import Settings

SECRET = "a secret of this test"


@dataclass
class Hospital:
    """Both addresses; ``bedside`` is the real server, ``key`` the EMR's own."""

    emr: str
    bedside: Server
    key: str

    def api(self, path: str) -> object:
        return httpx.get(f"{self.emr}/api/{path}", trust_env=False).json()

    @property
    def headers(self) -> dict[str, str]:
        """Who the EMR is."""
        return {"Authorization": f"Bearer {self.key}"}


@pytest.fixture(scope="package")
def hospital(
    tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path, empty_database: Path
) -> Iterator[Hospital]:
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port = probe.getsockname()[1]
    emr = f"http://{LOCAL}:{port}"
    webhook = {"url": f"{emr}/webhook", "secret": SECRET}
    home = tmp_path_factory.mktemp("home")
    shutil.copy(empty_database, home)
    store = open_store(Settings(home=home))
    _, key = store.api_keys.create("emr", "system", "the sandbox")
    store.close()
    bedside = start(
        home,
        knowledge_folder,
        BEDSIDE_HOOKS=json.dumps(
            {
                "fhir_servers": [f"{emr}/fhir"],
                # A busy machine: nothing is measured here.
                "card_seconds": 20,
                "fetch_seconds": 30,
            }
        ),
        BEDSIDE_EMBED=json.dumps({"origins": [emr], "webhook": webhook}),
        # With it every call needs a key, or a log-in at the EMR.
        BEDSIDE_SMART=json.dumps(
            {"servers": [f"{emr}/fhir"], "roles": {"doctor": "doctor", "nurse": "nurse"}}
        ),
    )
    code = ["-m", "assistant.cli", "sandbox", "--bedside", bedside.address, "--port", str(port)]
    process = warm_process.start([*code, "--webhook-secret", SECRET, "--key", key], os.environ)
    for _ in range(1_200):
        try:
            urllib.request.urlopen(f"{emr}/api/setup", timeout=2).close()
            break
        except OSError:
            assert process.is_alive(), "the sandbox did not start"
            time.sleep(0.1)
    yield Hospital(emr, bedside, key)
    for one in (process, bedside.process):
        one.terminate()
        one.join(60)


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened.new_context(viewport={"width": 1440, "height": 1000}, locale="zh-CN")
        opened.close()
