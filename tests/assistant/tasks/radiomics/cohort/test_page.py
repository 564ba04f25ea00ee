"""The page in a real browser: a table dropped, its model made, a new case predicted."""

from __future__ import annotations

import csv
import io
import os
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from browser_visit import ARGUMENTS, ROOT, chromium, start
from cohort_tables import draw
from playwright.sync_api import FilePayload, expect, sync_playwright

from assistant.work.registry import GROUP


def _environment(site: Path) -> dict[str, str]:
    """The task as an installed one, where the package was installed before it had the task."""
    if any(point.name == "radiomics_cohort" for point in entry_points(group=GROUP)):
        return {}
    metadata = site / "cohort_task-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cohort-task\nVersion: 1.0\n")
    place = "assistant.tasks.radiomics.cohort.task:RadiomicsCohort"
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\nradiomics_cohort = {place}\n")
    return {"PYTHONPATH": os.pathsep.join(map(str, (site, ROOT)))}


def _csv(cases: int, seed: int) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(draw(False, cases=cases, columns=3, seed=seed))
    return text.getvalue().encode()


@pytest.mark.browser
def test_a_table_is_dropped_and_the_report_grows(tmp_path: Path, knowledge_folder: Path) -> None:
    path = chromium()
    home = tmp_path / "home"
    home.mkdir()
    server = start(home, knowledge_folder, **_environment(tmp_path / "site"))
    try:
        with ThreadPoolExecutor(1) as pool:
            # The other browser tests keep an event loop in this thread.
            pool.submit(_visit, path, server.address).result()
    finally:
        server.process.terminate()
        server.process.wait(20)


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
