"""The page in a real browser: a study dropped, looked at, and its structures found."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from browser_visit import ARGUMENTS, Server, chromium
from imaging_samples import series, written
from playwright.sync_api import expect, sync_playwright

PICTURE = "canvas => canvas.toDataURL()"


@pytest.mark.browser
def test_one_click_from_a_series_to_its_structures(page_server: Server) -> None:
    with ThreadPoolExecutor(1) as pool:
        # The other browser tests keep an event loop in this thread.
        pool.submit(_segment, chromium(), page_server.address).result()


def _segment(path: str, address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.goto(address)
        page.get_by_role("tab", name="影像", exact=True).click()
        page.get_by_role("tab", name="影像分割").click()
        expect(page.locator("#segmentation-look")).to_be_visible()
        page.fill("#segmentation-patient input, #segmentation-patient textarea", "pat-1")
        page.click("#segmentation-look")
        expect(page.locator("#segmentation-status")).to_contain_text("还没有")
        page.set_input_files(
            "#segmentation-upload input",
            [
                {"name": f"{n}.dcm", "mimeType": "application/dicom", "buffer": written(one)}
                for n, one in enumerate(series())
            ],
        )
        slice_ = page.locator("#segmentation-viewer canvas.slice")
        expect(slice_).to_have_attribute("data-drawn", "axial 4 0 0")
        page.click("#segmentation-model input")
        page.get_by_role("option", name="toy").click()
        page.click("#segmentation-run")
        table = page.locator("#segmentation-table")
        expect(table).to_contain_text("丘脑", timeout=60_000)
        expect(table).to_contain_text("科研用途")
        # The structures are laid over the slice, and each can be taken away.
        expect(slice_).to_have_attribute("data-drawn", re.compile(r"^axial \d+ 0 1$"))
        boxes = page.locator("#segmentation-viewer .viewer-class input")
        expect(boxes.first).to_be_checked()
        laid = slice_.evaluate(PICTURE)
        page.click("#segmentation-viewer .viewer-all")
        expect(boxes.first).not_to_be_checked()
        bare = slice_.evaluate(PICTURE)
        assert laid != bare
        boxes.nth(1).check()
        one = slice_.evaluate(PICTURE)
        assert one not in (laid, bare)
        page.locator("#segmentation-viewer .viewer-opacity").fill("0")
        assert slice_.evaluate(PICTURE) == bare
        assert "Zhang" not in page.content()
        browser.close()
