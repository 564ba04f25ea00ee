"""票据识别 as a clerk uses it: a page in, from doubt to doubt, saved, found again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bad_pages import bad_files
from browser_visit import Visit
from playwright.sync_api import Locator, expect

from eval.clinical.bills.generator.fonts import NoFont
from eval.clinical.bills.generator.layout import layouts
from eval.clinical.bills.generator.render import draw

pytestmark = pytest.mark.browser
pytest.importorskip("rapidocr")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean bill."""
    (layout,) = [one for one in layouts("seen") if one.name == "settlement_cells"]
    try:
        made, _ = draw(layout, 3)
    except NoFont:
        pytest.skip("no Chinese font is installed")
    path = tmp_path_factory.mktemp("bills") / "结算单.png"
    made.image.save(path)
    return path


def read(visit: Visit, file: Path) -> Locator:
    """Choose the file, read it, and give the card."""
    page = visit.page
    if page.get_by_role("tab", name="票据识别", exact=True).count() == 0:
        pytest.skip("the installed package does not name the task yet: pip install -e .")
    visit.tab("票据识别")
    page.locator("#bill-files input[type=file]").set_input_files(file)
    expect(page.locator("#bill-files .files")).to_contain_text(file.name)
    page.click("#run-bill")
    card = page.locator("#bill-card .bill")
    expect(card).to_be_visible(timeout=120_000)
    return card


def cell(card: Locator, path: str) -> Locator:
    return card.locator(f'input.cell[data-path="{path}"]')


def test_a_bill_is_read_corrected_by_keyboard_accepted_and_found(
    visit: Visit, page_file: Path
) -> None:
    card = read(visit, page_file)
    page = visit.page
    # The picture is there, with a box for each value that has a place.
    expect(card.locator(".bill-page img")).to_be_visible()
    expect(card.locator(".cell-box").first).to_be_attached()

    # A field lights its box, and a box its field.
    total = cell(card, "fields.total")
    total.focus()
    lit = card.locator(".cell-box.lit")
    expect(lit).to_have_attribute("data-of", "fields.total")
    card.locator('.cell-box[data-of="items.0.name"]').dispatch_event("click")
    expect(cell(card, "items.0.name")).to_be_focused()
    expect(lit).to_have_attribute("data-of", "items.0.name")

    # A correction that breaks a sum is doubted; from doubt to doubt by keyboard.
    right = cell(card, "items.0.amount").input_value()
    cell(card, "items.0.amount").fill("99999.99")
    page.keyboard.press("Control+Enter")
    expect(card).to_contain_text("第 2 版")
    expect(card.locator(".bill-checks .failed").first).to_be_visible()
    doubtful = card.locator("input.cell[data-doubt]")
    expect(doubtful.first).to_be_visible()
    count = doubtful.count()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    expect(doubtful.nth(0)).to_be_focused()
    if count > 1:
        page.keyboard.press("Tab")
        expect(doubtful.nth(1)).to_be_focused()
        page.keyboard.press("Shift+Tab")
        expect(doubtful.nth(0)).to_be_focused()
        page.keyboard.press("Enter")
        expect(doubtful.nth(0)).to_have_attribute("data-confirmed", "true")
        expect(doubtful.nth(1)).to_be_focused()

    cell(card, "items.0.amount").fill(right)
    page.keyboard.press("Control+Shift+Enter")
    expect(card).to_contain_text("已确认")

    with page.expect_download() as made:
        card.get_by_role("button", name="JSON", exact=True).click()
    said = json.loads(Path(made.value.path()).read_text("utf-8"))
    assert said["items"][0]["amount"]["value"] == right

    # The archive finds it by an item.
    name = cell(card, "items.0.name").input_value()
    page.locator("#bill-archive summary").click()
    page.locator("#bill-archive input[name=item]").fill(name)
    page.get_by_role("button", name="检索", exact=True).click()
    found = page.locator("#bill-archive .archive-found li")
    expect(found).to_have_count(1)
    found.get_by_role("button").click()
    expect(card).to_contain_text("第 3 版")


def test_what_is_no_page_is_told(visit: Visit, tmp_path: Path) -> None:
    page = visit.page
    if page.get_by_role("tab", name="票据识别", exact=True).count() == 0:
        pytest.skip("the installed package does not name the task yet: pip install -e .")
    visit.tab("票据识别")
    page.click("#run-bill")
    expect(page.locator("#bill-files [role=alert]")).to_contain_text("请先选择")
    told = page.locator("#bill-files [role=alert]")
    for file in bad_files():
        if not file.kept:
            (tmp_path / file.name).write_bytes(file.content)
            page.locator("#bill-files input[type=file]").set_input_files(tmp_path / file.name)
            expect(told).to_contain_text(file.name)
            expect(told).to_contain_text("。(")
