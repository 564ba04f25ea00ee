"""The page in a real browser: a table dropped, its model made, a new case predicted."""

from __future__ import annotations

import csv
import io
from concurrent.futures import ThreadPoolExecutor

import pytest
from browser_visit import ARGUMENTS, Server, chromium
from cohort_tables import draw
from playwright.sync_api import FilePayload, expect, sync_playwright


def _csv(cases: int, seed: int) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(draw(False, cases=cases, columns=3, seed=seed))
    return text.getvalue().encode()


@pytest.mark.browser
def test_a_table_is_dropped_and_the_report_grows(page_server: Server) -> None:
    with ThreadPoolExecutor(1) as pool:
        # The other browser tests keep an event loop in this thread.
        pool.submit(_visit, chromium(), page_server.address).result()


def _visit(path: str, address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.set_default_timeout(60_000)
        expect.set_options(timeout=240_000)
        page.goto(address)
        page.get_by_role("tab", name="影像", exact=True).click()
        page.get_by_role("tab", name="影像组学").click()
        page.get_by_text("队列建模（科研用途）").click()
        table = FilePayload(name="李四.csv", mimeType="text/csv", buffer=b"a,b\n1")
        page.set_input_files("#cohort-upload input[type=file]", files=[table])
        expect(page.locator("#cohort-status")).to_contain_text("1 格")
        table["buffer"] = _csv(60, 3)
        page.set_input_files("#cohort-upload input[type=file]", files=[table])
        expect(page.locator("#cohort-outcome input")).to_have_value("复发")
        expect(page.locator("#cohort-columns")).to_contain_text("临床变量")
        page.click("#cohort-run")
        report = page.locator("#cohort-report")
        expect(report).to_contain_text("病例流程")
        expect(report).to_contain_text("候选方案")
        expect(report).to_contain_text("ROC 曲线")
        expect(report).to_contain_text("科研用途")
        with page.expect_download() as downloaded:
            page.click("#cohort-report a[download='report.html']")
        assert "科研用途" in downloaded.value.path().read_text("utf-8")
        table["buffer"] = _csv(2, 9)
        page.set_input_files("#cohort-new input[type=file]", files=[table])
        expect(page.locator("#cohort-predicted")).to_contain_text("病例1")
        expect(page.locator("#cohort-predicted svg").first).to_be_visible()
        assert "李四" not in page.content()
        browser.close()
