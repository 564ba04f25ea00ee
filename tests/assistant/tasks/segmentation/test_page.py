"""The page in a real browser: a study dropped, looked at, and its structures found."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from browser_visit import ARGUMENTS, Server, chromium
from imaging_samples import series, written
from playwright.sync_api import expect, sync_playwright


@pytest.mark.browser
def test_one_click_from_a_series_to_its_structures(page_server: Server) -> None:
    with ThreadPoolExecutor(1) as pool:
        # The other browser tests keep an event loop in this thread.
        pool.submit(_segment, chromium(), page_server.address).result()


def _segment(path: str, address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        page = browser.new_page()
        page.on(
            "response",
            lambda r: print(
                r.status, r.url, r.text()[:300] if r.status >= 400 or "upload" in r.url else ""
            ),
        )
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
        picture = page.locator("#segmentation-picture img")
        expect(picture).to_be_visible()
        bare = picture.get_attribute("src")
        page.click("#segmentation-model input")
        page.get_by_role("option", name="toy").click()
        page.click("#segmentation-run")
        table = page.locator("#segmentation-table")
        expect(table).to_contain_text("丘脑", timeout=60_000)
        expect(table).to_contain_text("科研用途")
        # The structures are laid over the slice.
        expect(picture).not_to_have_attribute("src", str(bare), timeout=20_000)
        assert "Zhang" not in page.content()
        browser.close()
