"""The page in a real browser: a study picked, dropped or fetched, looked at, and its features
extracted."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import nibabel
import numpy as np
import pytest
from browser_visit import ARGUMENTS, Server, chromium
from imaging_samples import ball, intensities, segmentation, series, written
from playwright.sync_api import FilePayload, Page, expect, sync_playwright


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
        _drop_own_files(page)
        _fetch_from_archive(page)
        browser.close()


def _nifti(array: np.ndarray) -> bytes:
    image = nibabel.Nifti1Image(array.transpose(2, 1, 0), np.diag([1.0, 1.0, 2.5, 1.0]))
    made: bytes = image.to_bytes()
    return made


def _drop_own_files(page: Page) -> None:
    """A mask before its image, and names that tell of a patient."""
    page.fill("#radiomics-patient input, #radiomics-patient textarea", "pat-own")
    arrays = {"李四 mask.nii": ball().astype(np.uint8), "李四.nii": intensities()}
    payloads = [
        FilePayload(name=name, mimeType="application/octet-stream", buffer=_nifti(array))
        for name, array in arrays.items()
    ]
    page.select_option("#radiomics-upload select", "CT")
    page.set_input_files("#radiomics-upload input[type=file]", files=payloads)
    expect(page.locator("#radiomics-roi input")).to_have_value("标签1")
    canvas = page.locator("#radiomics-viewer canvas.slice")
    expect(canvas).to_have_attribute("data-drawn", "axial 4 0 1")
    page.locator("#radiomics-viewer .viewer-plane").select_option("coronal")
    expect(canvas).to_have_attribute("data-drawn", re.compile("^coronal .* 1$"))
    page.click("#radiomics-run")
    expect(page.locator("#radiomics-table")).to_contain_text("标签1")
    expect(page.locator("#radiomics-table img.region")).to_be_visible()
    assert "李四" not in page.content()


def _fetch_from_archive(page: Page) -> None:
    page.fill("#radiomics-patient input, #radiomics-patient textarea", "pat-archive")
    page.get_by_text("从影像归档调取").locator("visible=true").click()
    page.click("#radiomics-fetch")
    expect(page.locator("#radiomics-status")).to_contain_text("请先查询")
    page.click("#radiomics-find")
    for kind in ("CT", "SEG"):
        page.locator("#radiomics-found input").click()
        page.get_by_role("option").filter(has_text=f"2026-03-02 · {kind}").click()
    page.keyboard.press("Escape")
    page.click("#radiomics-fetch")
    expect(page.locator("#radiomics-roi input")).to_have_value("lesion")
    expect(page.locator("#radiomics-viewer .viewer-class")).to_have_text("lesion")
