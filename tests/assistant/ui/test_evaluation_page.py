"""评测 as a committee member uses it."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest
from approval_sample import write_model, write_run
from browser_visit import Server, Visit, open_page
from playwright.sync_api import BrowserContext, expect

from assistant.opening import open_store
from assistant.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture
def runs(server: Server, tmp_path: Path) -> Path:
    """Two runs in the home of the server, once for all tests."""
    folder = server.home / "evaluations"
    if not folder.exists():
        model = write_model(tmp_path)
        write_run(folder / "poor-1", model, answer=lambda prompt: "<b>不知道</b>")
        write_run(folder / "good-1", model)
    return folder


@pytest.fixture
def evaluation(visit: Visit, runs: Path) -> Visit:
    visit.tab("评测")
    expect(visit.page.get_by_role("region", name="评测记录")).to_contain_text("good-1")
    return visit


def test_runs_are_listed_and_a_report_opens_in_the_page(evaluation: Visit) -> None:
    page = evaluation.page
    row = page.locator("tr[data-run=poor-1]")
    expect(row).to_contain_text("仅供演示")
    report = page.frame_locator("iframe[name=evaluation-view]")
    expect(report.get_by_text("在上表中选择一个报告查看")).to_be_visible()
    row.get_by_role("link", name="查看").click()
    expect(report.get_by_role("heading", name="模型评测报告")).to_be_visible()
    expect(report.get_by_text("<b>不知道</b>").first).to_be_visible()
    assert page.url.rstrip("/").endswith(page.url.rstrip("/").split("/")[2])


def test_a_report_is_downloaded(evaluation: Visit) -> None:
    row = evaluation.page.locator("tr[data-run=good-1]")
    with evaluation.page.expect_download() as waiting:
        row.get_by_role("link", name="Markdown").click()
    assert waiting.value.suggested_filename == "good-1.md"


def test_two_runs_are_compared_in_the_page(evaluation: Visit) -> None:
    page = evaluation.page
    page.get_by_label("A", exact=True).select_option("poor-1")
    page.get_by_label("B", exact=True).select_option("good-1")
    page.get_by_role("button", name="对比").click()
    report = page.frame_locator("iframe[name=evaluation-view]")
    expect(report.get_by_role("heading", name="模型对比")).to_be_visible()


def test_it_is_in_english_too(evaluation: Visit) -> None:
    page = evaluation.page
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("tab", name="Evaluation", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Evaluation runs")).to_contain_text("complete")
    page.get_by_role("button", name="中文").click()


def test_where_keys_are_required_reports_are_for_clinical_roles(
    browser: BrowserContext, closed_server: Server, tmp_path: Path
) -> None:
    write_run(closed_server.home / "evaluations" / "good-1", write_model(tmp_path))
    path = "pages/evaluation/runs/good-1/report.html"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{closed_server.address}/{path}", timeout=20)
    assert refused.value.code == 401
    store = open_store(Settings(home=closed_server.home))
    keys = {role: store.api_keys.create(f"{role}-1", role, "")[1] for role in ("auditor", "nurse")}
    store.close()
    for role, key in keys.items():
        visit = open_page(browser, closed_server.address)
        visit.page.get_by_label("API key").fill(key)
        visit.page.get_by_role("button").click()
        visit.tab("评测")
        listed = visit.page.get_by_role("region", name="评测记录")
        expect(listed).to_contain_text("good-1")
        links = listed.get_by_role("link", name="查看")
        expect(links).to_have_count(1 if role == "nurse" else 0)
        status = visit.page.evaluate("path => fetch(path).then(answer => answer.status)", path)
        assert status == (200 if role == "nurse" else 403)
        visit.page.goto(f"{closed_server.address}/sign-out")
        visit.page.close()
