"""鉴别诊断 on the curated entries: probabilities, questions, and the order after an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browser_visit import Visit, chromium, open_page, start
from playwright.sync_api import BrowserContext, expect

from knowledge.base import KnowledgeBase
from knowledge.sources import ClinicalEntries

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def curated_visit(
    browser: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visit]:
    chromium()
    folder = tmp_path_factory.mktemp("curated")
    KnowledgeBase.build([ClinicalEntries()], folder).close()
    running = start(tmp_path_factory.mktemp("home"), folder)
    opened = open_page(browser, running.address)
    opened.page.locator("#run-case").wait_for()
    yield opened
    opened.page.close()
    running.process.terminate()
    running.process.join(20)


def test_an_answer_changes_the_order(curated_visit: Visit) -> None:
    page = curated_visit.page
    curated_visit.run_example()
    card = curated_visit.card("知识库排序")
    expect(card.locator(".probability").first).to_have_text(re.compile(r"^\d+%$"))
    questions = card.get_by_role("region", name="最能区分这些诊断的问题与检查")
    asked = questions.locator("ul").first.locator("li")
    expect(asked).to_have_count(5)
    first = asked.first.locator("span").inner_text()
    asked.first.get_by_role("button", name="有", exact=True).click()
    expect(questions.get_by_text("按回答重新排序")).to_be_visible()
    expect(questions.locator("ol > li").first).to_contain_text("%")
    expect(asked.filter(has_text=first)).to_have_count(0)
    questions.get_by_role("button", name="清除回答").click()
    expect(questions.get_by_text("按回答重新排序")).not_to_be_visible()
    assert page.locator(".questions").count() == 1
