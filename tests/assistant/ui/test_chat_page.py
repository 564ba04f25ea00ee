"""知识问答 as a doctor uses it."""

from __future__ import annotations

import pytest
from browser_visit import Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_passages_and_checked_sentences_with_citations(visit: Visit) -> None:
    visit.tab("知识问答")
    page = visit.page
    page.fill("#question textarea", "过敏性鼻炎要做什么检查？")
    page.press("#question textarea", "Enter")
    turn = page.locator(".turn").first
    expect(turn.get_by_label("检索到的资料")).to_contain_text("过敏性鼻炎")
    expect(turn.locator(".statement.unsupported").first).to_contain_text("无依据")
    passage = turn.locator(".passage", has_text="过敏性鼻炎").first
    expect(passage.locator(".passage-text")).not_to_be_visible()
    turn.locator(".statement.supported .chip.knowledge").first.click()
    expect(page.locator("#evidence-card")).to_contain_text("知识")
    expect(turn.locator(".passage-text").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(turn.get_by_text("仅供演示")).to_be_visible()
    turn.get_by_role("button", name="有用", exact=True).click()
    expect(turn.get_by_role("status")).to_contain_text("已记录：有用")


def test_an_empty_question_is_answered_with_a_sentence(visit: Visit) -> None:
    visit.tab("知识问答")
    visit.page.click("#send")
    expect(visit.page.get_by_text("请输入问题").first).to_be_visible()
