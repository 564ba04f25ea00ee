"""病历质控 as a reviewer uses it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from browser_visit import Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).parents[3] / "assistant" / "samples" / "encounters"


def test_a_defect_is_marked_judged_and_remembered(visit: Visit) -> None:
    stay = json.loads((SAMPLES / "pneumonia-adult.json").read_text(encoding="utf-8"))
    stay["id"], stay["patient"]["id"] = "enc-qc", "pat-qc"
    stay["notes"][2]["text"] += "患者李建华今日<b>BP 80/130mmHg</b>。"
    page = visit.page
    visit.tab("病历质控")
    own = page.locator("#own-qc")
    own.get_by_text("粘贴或上传").click()
    own.get_by_label("住院数据 JSON").fill(json.dumps(stay, ensure_ascii=False))
    own.get_by_role("button", name="打开").click()
    expect(page.locator("#qc-notes")).to_contain_text("出院当日病程记录")
    page.click("#run-qc")
    visit.finished()
    report = page.get_by_role("article", name="质控结果")
    expect(report).to_contain_text("分")
    name = report.locator("[data-kind=wrong_name]")
    expect(name).to_contain_text("李建华")
    expect(page.locator("#qc-notes mark.qc-mark.critical").first).to_have_text("李建华")

    value = report.locator("[data-kind=impossible_value]")
    value.get_by_role("button", name="采纳", exact=True).click()
    expect(value.get_by_role("status")).to_have_text("已采纳")
    name = report.locator("[data-kind=wrong_name]")
    name.locator("summary").click()
    name.get_by_role("button", name="不采纳").click()
    expect(report.get_by_role("alert")).to_have_text("不采纳须写明理由。")
    name.get_by_label("不采纳的理由").fill("同名家属")
    name.get_by_role("button", name="不采纳").click()
    expect(name.get_by_role("status")).to_have_text("未采纳：同名家属")

    # The departments, of which this stay's is one now.
    page.click("#qc-board-look")
    scores = page.get_by_role("region", name="评分趋势")
    expect(scores).to_contain_text("呼吸内科")
    expect(page.get_by_role("link", name="导出 CSV").last).to_be_visible()
