"""Slices that are looked at and measured, by mouse and by keyboard."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import httpx
import nibabel
import numpy as np
import pytest
from browser_visit import Server, Visit
from imaging_samples import SHAPE, SPACING, intensities, series, written
from perfusion_samples import instances, phantom
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser
PATIENCE = 60


def looked_at(visit: Visit, tab: str, name: str, patient: str) -> Locator:
    """The canvas of a task's page, with the series of a patient listed."""
    page = visit.page
    page.get_by_role("tab", name="影像", exact=True).click()
    page.get_by_role("tab", name=tab).click()
    page.fill(f"#{name}-patient input, #{name}-patient textarea", patient)
    page.click(f"#{name}-look")
    return page.locator(f"#{name}-viewer canvas.slice")


def kept(server: Server, patient: str, files: list[bytes]) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number, data in enumerate(files):
            archive.writestr(str(number), data)
    headers = {"X-Patient-Id": patient}
    answer = httpx.post(
        f"{server.address}/pages/studies",
        content=packed.getvalue(),
        headers=headers,
        timeout=PATIENCE,
    )
    assert answer.json() == {"kept": len(files), "later": ""}


def place(canvas: Locator, column: int, row: int, columns: int, rows: int) -> tuple[float, float]:
    """The middle of a pixel on the page."""
    box = canvas.bounding_box()
    assert box is not None
    return (
        box["x"] + (column + 0.5) / columns * box["width"],
        box["y"] + (row + 0.5) / rows * box["height"],
    )


def test_lengths_and_regions_are_measured_by_mouse_and_by_keyboard(
    visit: Visit, server: Server
) -> None:
    kept(server, "pat-view", [written(one) for one in series()])
    page, mouse, keyboard = visit.page, visit.page.mouse, visit.page.keyboard
    canvas = looked_at(visit, "影像分割", "segmentation", "pat-view")
    expect(canvas).to_have_attribute("data-drawn", "axial 4 0 0")
    marks = page.locator("#segmentation-viewer .viewer-marks li")
    _, rows, columns = SHAPE

    page.get_by_role("button", name="区域", exact=True).click()
    mouse.move(*place(canvas, 8, 5, columns, rows))
    mouse.down()
    mouse.move(*place(canvas, 16, 13, columns, rows), steps=4)
    mouse.up()
    y, x = np.indices((rows, columns))
    inside = ((x - 12) / 4.5) ** 2 + ((y - 9) / 4.5) ** 2 <= 1
    values = intensities()[4][inside]
    expect(marks.first).to_contain_text(f"{values.mean():.0f} ± ")
    area = inside.sum() * SPACING[1] * SPACING[2]
    expect(marks.first).to_contain_text(f"{area:.1f} mm² ({inside.sum()})")
    assert "HU" in marks.first.inner_text()

    # The same by keys: coronal, where a row is 2.5 mm; three columns and four rows.
    canvas.focus()
    keyboard.press("2")
    expect(canvas).to_have_attribute("data-drawn", "coronal 10 0 0")
    keyboard.press("d")
    for key in ("Shift+ArrowUp", "Enter", *["Shift+ArrowRight"] * 3, *["Shift+ArrowUp"] * 2):
        keyboard.press(key)
    keyboard.press("Enter")
    expect(marks.nth(1)).to_contain_text(f"{np.hypot(3, 5):.1f} mm")
    keyboard.press("PageDown")
    expect(canvas).to_have_attribute("data-drawn", f"coronal {rows - 1} 0 0")
    marks.first.get_by_role("button").click()
    expect(canvas).to_have_attribute("data-drawn", "axial 4 0 0")
    canvas.focus()
    keyboard.press("Delete")
    expect(marks).to_have_count(0)

    said = page.locator("#segmentation-viewer .viewer-said")
    keyboard.press("p")
    mouse.click(*place(canvas, 12, 9, columns, rows))
    expect(said).to_contain_text(f"(12, 9) {intensities()[4, 9, 12]}")
    visit.page.locator("#segmentation-viewer .viewer-window").select_option("bone")
    expect(said).to_contain_text("-450 – 1050")


def test_times_and_the_curve_of_a_voxel(visit: Visit, server: Server) -> None:
    found = phantom()
    kept(server, "pat-time", [written(one) for one in instances(found)])
    page = visit.page
    canvas = looked_at(visit, "脑灌注", "perfusion", "pat-time")
    expect(canvas).to_have_attribute("data-drawn", "axial 1 0 0")
    times, _, rows, columns = found.array.shape
    page.mouse.click(*place(canvas, 48, 40, columns, rows))
    curve = page.locator("#perfusion-viewer polyline")
    expect(curve).to_have_attribute("data-voxel", "48,40,1")
    points = [float(one.split(",")[1]) for one in str(curve.get_attribute("points")).split()]
    truth = np.round(found.array[:, 1, 40, 48])
    assert len(points) == times
    # Upwards on the page is less, so that both run against each other.
    assert np.corrcoef(points, truth)[0, 1] == pytest.approx(-1, abs=1e-4)
    canvas.focus()
    page.keyboard.press("ArrowRight")
    expect(canvas).to_have_attribute("data-drawn", "axial 1 1 0")
    expect(page.locator("#perfusion-viewer .viewer-said")).to_contain_text("1.0 s")
    page.locator("#perfusion-viewer .viewer-times").fill("30")
    expect(canvas).to_have_attribute("data-drawn", "axial 1 30 0")


def test_nifti_becomes_a_series_and_slices_are_fetched_ahead(
    visit: Visit, server: Server, tmp_path: Path
) -> None:
    values = np.random.default_rng(3).normal(50, 20, (30, 40, 60)).astype(np.float32)
    path = tmp_path / "t1.nii.gz"
    nibabel.save(nibabel.Nifti1Image(values, np.diag([2.0, 1.0, 1.5, 1.0])), path)
    kept_twice = [
        httpx.post(
            f"{server.address}/pages/studies",
            content=path.read_bytes(),
            headers={"X-Patient-Id": "pat-nifti", "X-Modality": "MR"},
            timeout=PATIENCE,
        ).json()
        for _ in range(2)
    ]
    assert kept_twice == [{"kept": 1, "later": ""}] * 2
    listed = httpx.get(f"{server.address}/v1/attachments", headers={"X-Patient-Id": "pat-nifti"})
    assert [(one["modality"], one["instances"]) for one in listed.json()] == [("MR", 60)]
    canvas = looked_at(visit, "影像分割", "segmentation", "pat-nifti")
    expect(canvas).to_have_attribute("data-drawn", re.compile("^axial 30 "))
    # The last of those that are fetched ahead of the thirtieth.
    visit.page.wait_for_function(
        "performance.getEntriesByType('resource').some(e => e.name.endsWith('/axial/54/0'))"
    )
    before = len(visit.requests)
    canvas.focus()
    for _ in range(10):
        visit.page.keyboard.press("ArrowDown")
    expect(canvas).to_have_attribute("data-drawn", re.compile("^axial 40 "))
    asked = [url for url in visit.requests[before:] if re.search(r"/slices/axial/(3\d|40)/0$", url)]
    assert asked == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("x/slices/axial/0/0", 410),
        ("TOKEN/slices/axial/8/0", 422),
        ("TOKEN/slices/oblique/0/0", 422),
        ("TOKEN/slices/axial/0/1", 422),
        ("TOKEN/curve/0/0/24", 422),
        ("TOKEN/labels/axial/0/0", 200),
    ],
)
def test_what_is_not_there_is_a_sentence(server: Server, path: str, status: int) -> None:
    kept(server, "pat-far", [written(one) for one in series()])
    headers = {"X-Patient-Id": "pat-far"}
    base = f"{server.address}/pages/viewer/segmentation"
    listed = httpx.get(f"{server.address}/v1/attachments", headers=headers).json()
    ids = [one["id"] for one in listed]
    other = httpx.post(f"{base}/open", json={"series": ids}, headers={"X-Patient-Id": "pat-not"})
    assert other.status_code == 404
    opened = httpx.post(f"{base}/open", json={"series": ids}, headers=headers).json()
    answer = httpx.get(f"{base}/{path.replace('TOKEN', opened['token'])}")
    assert answer.status_code == status
    if status >= 400:
        assert re.search(r"[一-鿿].*\(.+\)", answer.json()["detail"])
