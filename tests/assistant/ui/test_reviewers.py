"""A reviewer scores the week's sample and compares two drafts, blind, on the page 系统."""

from __future__ import annotations

import json
import sqlite3
import urllib.request
from typing import Any

import pytest
from browser_visit import Server, open_page
from playwright.sync_api import BrowserContext, expect

from assistant.monitoring.form import quality_form
from assistant.opening import open_store
from assistant.settings import Settings
from assistant.store import Store
from assistant.ui.review.difference import marked

DDX = "/v1/differential-diagnoses?wait=true"


def ask(server: Server, key: str, case: dict[str, Any]) -> list[dict[str, Any]]:
    asked = urllib.request.Request(
        server.address + DDX,
        json.dumps(case).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(asked, timeout=120) as answer:
        found: list[dict[str, Any]] = json.load(answer)["drafts"]
        return found


def a_week_ago(server: Server, drafts: list[dict[str, Any]]) -> None:
    """The sample is of the week that is over; other tests' drafts on this server are not."""
    with sqlite3.connect(server.home / "bedside.db", timeout=30) as database:
        database.executemany(
            "UPDATE drafts SET created_at = datetime(created_at, '-7 days') WHERE id = ?",
            [(draft["id"],) for draft in drafts],
        )


def put_beside(store: Store, drafts: list[dict[str, Any]]) -> None:
    """Answers of a candidate to the request, as many as make sure that one of them is drawn."""
    with store.database.read() as session:
        row = next(d for d in drafts if d["model"])
        found = session.connection().exec_driver_sql(
            "SELECT request_id, content FROM drafts WHERE id = ?", (row["id"],)
        )
        request_id, content = found.one()
    made = json.loads(content)["draft"]
    for number in range(40):
        store.shadow.put(request_id, made["kind"], "next", "next-model", f"{number:064}", {})
    for answer in store.shadow.list():
        store.shadow.finish(answer.id, [made], {"sections": {"": {}}})


@pytest.mark.browser
def test_the_forms_are_filled_in_by_a_doctor_with_a_name(
    browser: BrowserContext, closed_server: Server, case: dict[str, Any]
) -> None:
    store = open_store(Settings(home=closed_server.home))
    _, key = store.api_keys.create("zhao-wei", "doctor", "")
    _, nurse = store.api_keys.create("nurse-1", "nurse", "")
    drafts = ask(closed_server, key, case)
    put_beside(store, drafts)
    a_week_ago(closed_server, drafts)

    visit = open_page(browser, closed_server.address)
    page = visit.page
    page.get_by_label("API key").fill(nurse)
    page.get_by_role("button").click()
    visit.tab("系统")
    page.locator("#weekly-review > button").click()
    page.click("#review-next")
    expect(page.locator("#review-told")).to_contain_text("只有署名的医师可以评审")
    page.goto(f"{closed_server.address}/sign-out")
    page.close()

    visit = open_page(browser, closed_server.address)
    page = visit.page
    page.get_by_label("API key").fill(key)
    page.get_by_role("button").click()
    visit.tab("系统")
    page.locator("#weekly-review > button").click()
    page.click("#review-next")
    shown = page.locator("#review-draft")
    expect(shown).to_contain_text(case["chief_complaint"])
    expect(shown).to_contain_text("【主诉】")
    expect(shown).not_to_contain_text("echo")
    page.click("#review-send")
    expect(page.locator("#review-told")).to_contain_text("准确")
    sample = len([d for d in drafts if d["model"]])
    for number in range(sample):
        for item in quality_form().items:
            choice = "1" if item.kind == "yes_no" else "-" if item.may_not_apply else "4"
            page.locator(f"#review-{item.id} input[value='{choice}']").check()
        page.click("#review-send")
        expect(page.locator("#review-told")).to_contain_text("已记录")
        done = "已全部评完" if number + 1 == sample else f"已评 {number + 1}"
        expect(shown).to_contain_text(done)
    kept = store.quality_reviews.list(quality_form().name)
    assert [(r.reviewer, r.scores["accurate"], r.scores["synthesized"]) for r in kept] == [
        ("zhao-wei", 4, None)
    ] * sample

    page.locator("#blind-pairs > button").click()
    page.click("#pair-next")
    expect(page.locator("#pair")).to_contain_text("甲")
    page.click("#pair-send")
    expect(page.locator("#pair-told")).to_contain_text("请先选择")
    page.locator("#pair-better input[value='same']").check()
    page.click("#pair-send")
    expect(page.locator("#pair-told")).to_contain_text("已记录")
    assert [(who, choice) for _, who, choice in store.shadow.reviews()] == [("zhao-wei", "same")]
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("button", name="Next pair")).to_be_visible()
    assert visit.complaints == []
    page.goto(f"{closed_server.address}/sign-out")
    page.close()
    store.close()


def test_what_only_one_says_is_marked_and_a_number_whole() -> None:
    a, b = marked("氨氯地平 5 mg <每日>。", "氨氯地平 15 mg 每日。")
    assert a == "氨氯地平 <mark>5</mark> mg <mark>&lt;</mark>每日<mark>&gt;</mark>。"
    assert b == "氨氯地平 <mark>15</mark> mg 每日。"
    assert marked("同一句。", "同一句。") == ("同一句。", "同一句。")
    long = "咳嗽三天。" * 2_000
    assert marked(long, long + "无发热。")[1].endswith("<mark>无发热。</mark>")
