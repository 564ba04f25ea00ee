"""The page in a real browser: a study picked, looked at, and its features extracted."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import httpx
import pytest
from browser_visit import ARGUMENTS, ROOT, chromium, start
from imaging_samples import ball, segmentation, series, written
from playwright.sync_api import expect, sync_playwright

from assistant.work.registry import GROUP


def environment(site: Path) -> dict[str, str]:
    """The task as an installed one, where the package was installed before it had the task."""
    if any(point.name == "radiomics" for point in entry_points(group=GROUP)):
        return {}
    metadata = site / "radiomics_task-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: radiomics-task\nVersion: 1.0\n"
    )
    place = "assistant.tasks.radiomics.task:Radiomics"
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\nradiomics = {place}\n")
    return {"PYTHONPATH": os.pathsep.join(map(str, (site, ROOT)))}


@pytest.mark.browser
def test_one_click_from_a_study_to_its_features(tmp_path: Path, knowledge_folder: Path) -> None:
    path = chromium()
    home = tmp_path / "home"
    home.mkdir()
    server = start(home, knowledge_folder, **environment(tmp_path / "site"))
    try:
        with ThreadPoolExecutor(1) as pool:
            # The other browser tests keep an event loop in this thread.
            pool.submit(_extract, path, server.address).result()
    finally:
        server.process.terminate()
        server.process.wait(20)


def _extract(path: str, address: str) -> None:
    headers = {"X-Patient-Id": "pat-1", "Content-Type": "application/dicom"}
    for one in [*series(), segmentation(ball())]:
        answer = httpx.post(f"{address}/v1/attachments", content=written(one), headers=headers)
        assert answer.status_code == 201
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("tab", name="影像", exact=True).click()
        page.get_by_role("tab", name="影像组学").click()
        expect(page.locator(".notice", has_text="科研用途").first).to_be_visible()
        page.fill("#radiomics-patient input, #radiomics-patient textarea", "pat-1")
        page.click("#radiomics-look")
        expect(page.locator("#radiomics-roi input")).to_have_value("lesion")
        expect(page.locator("#radiomics-picture img")).to_be_visible()
        page.click("#radiomics-run")
        table = page.locator("#radiomics-table")
        expect(table).to_contain_text("Q4LE")
        expect(table).to_contain_text("科研用途")
        assert "Zhang" not in page.content()
        browser.close()
