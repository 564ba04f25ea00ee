"""The page in a real browser: a study picked, looked at, and its features extracted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from browser_visit import ARGUMENTS, Server, chromium
from imaging_samples import ball, segmentation, series, written
from playwright.sync_api import expect, sync_playwright


@pytest.mark.browser
def test_one_click_from_a_study_to_its_features(page_server: Server) -> None:
    with ThreadPoolExecutor(1) as pool:
        # The other browser tests keep an event loop in this thread.
        pool.submit(_extract, chromium(), page_server.address).result()


def _extract(path: str, address: str) -> None:
    headers = {"X-Patient-Id": "pat-2", "Content-Type": "application/dicom"}
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
        page.fill("#radiomics-patient input, #radiomics-patient textarea", "pat-2")
        page.click("#radiomics-look")
        expect(page.locator("#radiomics-roi input")).to_have_value("lesion")
        # It begins where the region is largest, with the region on it.
        expect(page.locator("#radiomics-viewer canvas.slice")).to_have_attribute(
            "data-drawn", "axial 4 0 1"
        )
        expect(page.locator("#radiomics-viewer .viewer-class")).to_have_text("lesion")
        page.click("#radiomics-run")
        table = page.locator("#radiomics-table")
        expect(table).to_contain_text("Q4LE")
        expect(table).to_contain_text("科研用途")
        assert "Zhang" not in page.content()
        browser.close()
