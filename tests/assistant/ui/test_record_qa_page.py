"""问病历 as a doctor uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser_visit import Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).parents[3] / "assistant" / "samples" / "encounters"


def test_a_question_its_follow_up_and_the_conversation_again(visit: Visit) -> None:
    stay = json.loads((SAMPLES / "diabetic-ketoacidosis.json").read_text(encoding="utf-8"))
    stay["id"], stay["patient"]["id"] = "enc-ask", "pat-ask"
    stay["notes"][0]["text"] += "\n<b>血钾</b>"
    page = visit.page
    visit.tab("问病历")
    own = page.locator("#own-ask")
    own.get_by_text("粘贴或上传").click()
    own.get_by_label("住院数据 JSON").fill(json.dumps(stay, ensure_ascii=False))
    own.get_by_role("button", name="打开").click()
    expect(page.locator("#ask-notes")).to_contain_text("出院当日病程记录")

    question = page.locator("#ask-question textarea")
    question.fill("近三次血钾趋势？")
    page.click("#send-ask")
    turns = page.locator("#ask-turns article.turn")
    expect(turns.first).to_contain_text("4.9mmol/L")
    expect(turns.first.locator("figure.ask-plot svg circle")).to_have_count(3)
    turns.first.locator("table button.chip").first.click()
    expect(page.locator("#ask-notes")).to_contain_text("血钾 4.9 mmol/L")

    question.fill("那肌酐呢？")
    page.click("#send-ask")
    expect(turns).to_have_count(2)
    expect(turns.first).to_contain_text("102μmol/L")
    page.get_by_role("button", name="新对话").click()
    expect(turns).to_have_count(0)
    page.locator("details[data-key=ask-conversations] summary").click()
    page.get_by_role("button", name="近三次血钾趋势？").click()
    expect(turns).to_have_count(2)
