"""鉴别诊断 on the curated entries: probabilities, questions, and the order after an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from browser_visit import Visit, chromium, open_page, start
from playwright.sync_api import BrowserContext, expect

from knowledge.base import KnowledgeBase
from knowledge.rare.ontology import is_installed
from knowledge.rare.source import RareDiseases
from knowledge.sources import ClinicalEntries, KnowledgeSource
from tests.rare_sample import write_ontology

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def curated_visit(
    browser: BrowserContext, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Visit]:
    chromium()
    folder = tmp_path_factory.mktemp("curated")
    sources: list[KnowledgeSource] = [ClinicalEntries()]
    if is_installed():
        sources.append(RareDiseases(folder=write_ontology(folder / "hpo")))
    KnowledgeBase.build(sources, folder).close()
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


def test_a_rare_disease_is_hinted_at_apart_from_the_ranking(curated_visit: Visit) -> None:
    if not is_installed():
        pytest.skip("the extra rare is not installed")
    page = curated_visit.page
    page.get_by_role("tab", name="病历录入").click()
    curated_visit.new_patient()
    page.locator("#case-present_illness textarea").fill(
        "双手震颤、肌张力障碍1年。裂隙灯见K-F环，铜蓝蛋白0.05g/L，24小时尿铜升高。"
    )
    page.click("#run-case")
    curated_visit.finished()
    hints = curated_visit.card("知识库排序").get_by_role("region", name="罕见病提示")
    expect(hints).to_contain_text("肝豆状核变性")
    expect(hints).to_contain_text("ORPHA:905")
    hints.locator("summary").first.click()
    expect(hints).to_contain_text(
        "有“K-F环”，符合肝豆状核变性（Kayser-Fleischer ring，极常见，约90%）"
    )
