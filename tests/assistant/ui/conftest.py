"""One browser and two servers for all tests of the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_visit import ARGUMENTS, Server, Visit, chromium, open_page, start
from playwright.sync_api import BrowserContext, sync_playwright


@pytest.fixture(scope="package")
def browser() -> Iterator[BrowserContext]:
    """One profile for all pages, so that scripts are fetched once."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        yield opened.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN")
        opened.close()


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path) -> Iterator[Server]:
    chromium()
    running = start(tmp_path_factory.mktemp("home"), knowledge_folder)
    yield running
    running.process.terminate()
    running.process.join(20)


@pytest.fixture(scope="package")
def closed_server(
    tmp_path_factory: pytest.TempPathFactory, knowledge_folder: Path
) -> Iterator[Server]:
    """One that requires API keys, as a server that other machines reach does."""
    chromium()
    home = tmp_path_factory.mktemp("closed")
    running = start(home, knowledge_folder, BEDSIDE_REQUIRE_API_KEY="true")
    yield running
    running.process.terminate()
    running.process.join(20)


@pytest.fixture
def visit(browser: BrowserContext, server: Server) -> Iterator[Visit]:
    opened = open_page(browser, server.address)
    opened.page.locator("#run-case").wait_for()
    yield opened
    opened.page.close()
    assert opened.strangers() == []
    assert opened.complaints == []
