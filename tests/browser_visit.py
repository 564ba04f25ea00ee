"""The real server in its own process, and a page of a real browser that looks at it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import time
import urllib.request
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import warm_process
from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
SERVER = """
from assistant.application import build_app
from assistant.libraries import quiet_libraries
quiet_libraries()
import uvicorn
from assistant.settings import Settings
settings = Settings()
uvicorn.run(build_app(settings), host=settings.host, port=settings.port, log_level="warning")
"""
PANEL = [
    {"name": "甲", "engine": "demo", "prompt": "evidence"},
    {"name": "乙", "engine": "demo", "prompt": "open"},
]
LOCAL = "127.0.0.1"
PATIENCE_MS = 30_000
"""How long a page may take on a busy machine; nothing is measured by it."""

expect.set_options(timeout=PATIENCE_MS)
ROOT = Path(__file__).parent.parent


def chromium() -> str:
    """The system's Chromium; skips where there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no system Chromium: apt-get install chromium runs the browser tests")


@dataclass
class Server:
    """A running server and the folder that it keeps its data in."""

    address: str
    home: Path
    process: ForkServerProcess


def start(home: Path, knowledge: Path, **settings: str) -> Server:
    """A server on a free port, answering."""
    (home / "knowledge").symlink_to(knowledge)
    with socket.socket() as probe:
        probe.bind((LOCAL, 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ,
        "BEDSIDE_HOME": str(home),
        "BEDSIDE_PORT": str(port),
        "BEDSIDE_ENCODER": "hashing",
        "BEDSIDE_ENGINES": json.dumps({"demo": {"kind": "echo", "demo_only": True}}),
        "BEDSIDE_PANEL": json.dumps(PANEL),
        **settings,
    }
    process = warm_process.start(["-c", SERVER], environment)
    address = f"http://{LOCAL}:{port}"
    for _ in range(1_200):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2).close()
            return Server(address, home, process)
        except OSError:
            assert process.is_alive(), "the server did not start"
            time.sleep(0.1)
    process.kill()
    pytest.fail("the server did not answer")


@dataclass
class Visit:
    """A page with what went over the wire and what the browser complained about."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def strangers(self) -> list[str]:
        """Requests to any host but our own."""
        remote = (urlsplit(url) for url in self.requests)
        return [
            u.geturl() for u in remote if u.scheme != "data" and u.hostname not in (LOCAL, None)
        ]

    def tab(self, name: str) -> None:
        """Open one of the pages."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def choose(self, box: str, option: str) -> None:
        """Pick an option of a drop-down list."""
        self.page.locator(f"{box} input").click()
        self.page.get_by_role("option").filter(has_text=option).first.click()

    def card(self, name: str) -> Locator:
        """A member's or a section's card."""
        return self.page.get_by_role("article", name=name, exact=True)

    def new_patient(self) -> None:
        """Empty the form; the ids show that it is done."""
        before = self.page.get_by_label("患者编号").input_value()
        self.page.click("#new-patient")
        expect(self.page.get_by_label("患者编号")).not_to_have_value(before)

    def finished(self) -> None:
        """Wait until the request of the page in front is done."""
        self.page.locator(".status.finished:visible").wait_for()

    def run_example(self, option: str = "胸痛") -> None:
        """Load an example case and wait for the whole panel."""
        self.choose("#example-case", option)
        expect(self.page.locator("#case-chief_complaint textarea")).not_to_have_value("")
        self.page.click("#run-case")
        self.finished()


def open_page(browser: BrowserContext, address: str) -> Visit:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    visit = Visit(page)

    def note(request: Request) -> None:
        visit.requests.append(request.url)

    page.on("request", note)
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("dialog", lambda dialog: visit.complaints.append(f"dialog: {dialog.message}"))
    page.goto(address)
    return visit
