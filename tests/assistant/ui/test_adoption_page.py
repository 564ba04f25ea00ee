"""使用情况 as an administrator sees it."""

from __future__ import annotations

import pytest
from browser_visit import PATIENCE_MS, Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_rate_and_the_counts_are_shown_and_exported(visit: Visit) -> None:
    visit.run_example()
    visit.tab("使用情况")
    page = visit.page
    expect(page.locator("#adoption-rate")).to_contain_text("使用率", timeout=4 * PATIENCE_MS)
    drafts = page.get_by_role("region", name="草稿", exact=True)
    expect(drafts.get_by_role("row").nth(1)).to_contain_text("鉴别诊断")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="导出 CSV").click()
    text = waiting.value.path().read_text("utf-8-sig")
    assert text.startswith("month,department,task,model,drafts,opened")
    assert "differential_diagnosis" in text
