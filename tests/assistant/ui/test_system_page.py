"""系统 as an administrator uses it."""

from __future__ import annotations

import pytest
from browser_visit import Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_models_knowledge_and_how_to_add_are_shown(visit: Visit) -> None:
    visit.tab("系统")
    page = visit.page
    expect(page.get_by_role("region", name="模型", exact=True)).to_contain_text("echo")
    expect(page.get_by_role("region", name="模型", exact=True)).to_contain_text("仅供演示")
    expect(page.get_by_role("region", name="模型走到哪一步")).to_contain_text("未批准")
    expect(page.get_by_role("region", name="知识库", exact=True)).to_contain_text("sample-diseases")
    expect(page.get_by_role("region", name="使用自己的模型")).to_contain_text("bedside model add")
    expect(page.get_by_role("link", name="接口文档")).to_have_attribute("href", "docs")


def test_the_audit_chain_is_verified(visit: Visit) -> None:
    visit.run_example("血尿")
    visit.tab("系统")
    visit.page.click("#verify-audit")
    expect(visit.page.locator("#verified")).to_contain_text("完整")
