"""The two published stories, in a real browser, over real HTTP between two processes."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, cast

import httpx
import pytest
from browser_visit import PATIENCE_MS
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect

from assistant.tasks.discharge.draft import SECTION_ZH

from .conftest import Hospital

pytestmark = pytest.mark.browser
WORK_MS = 120_000
"""How long the work may take on a busy machine; nothing is measured by it."""

COMPLAINT = "发热、咳嗽、咳黄痰3天。"
ILLNESS = "3天前受凉后发热，体温最高39.2℃，伴咳嗽、咳黄痰，无胸痛、咯血。"


@pytest.fixture
def emr(browser: BrowserContext, hospital: Hospital) -> Iterator[Page]:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(hospital.emr)
    page.locator("body[data-ready=true]").wait_for()
    yield page
    page.close()
    assert complaints == []
    assert browser.cookies() == [], "nobody sets a cookie"


def choose(page: Page, encounter: str) -> None:
    page.select_option("#stay", encounter)
    expect(page.locator("#who")).to_contain_text(encounter)


def deal_with_flags(card: Locator) -> None:
    """Delete what nothing supports, one by one."""
    flagged = card.locator("li.unsupported")
    while count := flagged.count():
        flagged.first.get_by_role("button", name="删除").click()
        expect(flagged).to_have_count(count - 1)


def frame(page: Page) -> FrameLocator:
    return page.frame_locator("#panel iframe")


def test_complaint_to_differential_to_the_first_progress_note(
    emr: Page, hospital: Hospital
) -> None:
    choose(emr, "enc-pneumonia-adult")
    emr.fill("#field-chief_complaint", COMPLAINT)
    emr.fill("#field-present_illness", ILLNESS)
    emr.get_by_role("button", name="保存主诉", exact=True).click()
    expect(emr.locator("#problem")).to_be_empty()
    emr.click("#open-differential")
    panel = frame(emr)
    card = panel.get_by_role("article", name="知识库排序", exact=True)
    expect(card.locator("li.heading").first).to_be_visible(timeout=WORK_MS)
    supported = card.locator("li").filter(has=emr.get_by_role("button", name="依据"))
    supported.first.get_by_role("button", name="依据").click()
    expect(supported.first.locator("blockquote").first).to_be_visible()
    assert emr.locator("#field-first_progress_note").input_value() == ""
    deal_with_flags(card)
    card.get_by_role("button", name="一键回填").click()
    expect(panel.locator("#state")).to_contain_text("已回填：first_progress_note")
    text = emr.locator("#field-first_progress_note").input_value()
    assert "病例特点" in text
    assert "鉴别诊断" in text
    until = time.monotonic() + 60
    kept = cast(dict[str, Any], hospital.api("stays/enc-pneumonia-adult"))
    while kept["fields"]["first_progress_note"] != text:
        assert time.monotonic() < until, "the field was not saved"
        time.sleep(0.1)
        kept = cast(dict[str, Any], hospital.api("stays/enc-pneumonia-adult"))
    draft = kept["drafts"]["first_progress_note"]
    while not (
        got := [m for m in cast(list[Any], hospital.api("received")) if m["draft_id"] == draft]
    ):
        assert time.monotonic() < until, "the webhook did not come"
        time.sleep(0.1)
    assert got[0]["text"] == text
    assert got[0]["patient_id"] == "pat-1001"
    others = httpx.get(
        f"{hospital.bedside.address}/v1/drafts/{draft}",
        headers={**hospital.headers, "X-Patient-Id": "pat-1002"},
        trust_env=False,
    )
    assert others.status_code == 404


def test_discharge_record_to_signature(emr: Page, hospital: Hospital) -> None:
    choose(emr, "enc-cholecystectomy-laparoscopic")
    emr.click("#open-discharge")
    panel = frame(emr)
    for title in SECTION_ZH.values():
        expect(panel.get_by_role("article", name=title, exact=True).locator("ol")).to_be_attached(
            timeout=WORK_MS
        )
    expect(panel.locator("#state")).to_have_text("已就绪", timeout=WORK_MS)
    diagnosis = panel.get_by_role("article", name="出院诊断", exact=True)
    first = diagnosis.locator("li").first
    first.get_by_role("button", name="识别错误").click()
    expect(panel.locator("#state")).to_have_text("已记录：识别错误")
    first.get_by_role("button", name="修改", exact=True).click()
    first.get_by_label("修改内容").fill("胆囊结石伴慢性胆囊炎（已手术）")
    first.get_by_role("button", name="保存修改").click()
    expect(diagnosis.locator("li").first).to_contain_text("已修改")
    deal_with_flags(diagnosis)
    diagnosis.get_by_role("button", name="一键回填").click()
    expect(panel.locator("#state")).to_contain_text("已回填：discharge_diagnosis")
    field = emr.locator("#field-discharge_diagnosis")
    assert "（已手术）" in field.input_value()
    field.fill(field.input_value() + "术后")
    emr.click("#sign")
    told = emr.locator("#signed")
    # The saves before it wait for their cards, each as long as `card_seconds` of this hospital.
    expect(told).to_contain_text("出院诊断：编辑距离 2", timeout=WORK_MS)
    assert re.search(r"回填用时 [\d.]+ 秒", told.inner_text())
    emr.click("#refresh-log")
    log = emr.locator("#log")
    for line in ("CDS Hooks encounter-discharge", "FHIR search Observation", "signature"):
        expect(log).to_contain_text(line)


def test_an_allergy_is_told_before_the_order_is_signed(emr: Page) -> None:
    choose(emr, "enc-diabetic-ketoacidosis")
    emr.fill("#order", "注射用青霉素钠")
    emr.click("#send-order")
    card = emr.locator(".card.critical").first
    expect(card).to_contain_text("青霉素", timeout=WORK_MS)
    card.get_by_role("button", name="忽略").click()
    expect(card.get_by_text("皮试曾阳性")).to_have_count(0)
    expect(emr.locator("#problem")).to_be_empty()


def test_the_frame_of_another_user_or_stay_is_closed(emr: Page) -> None:
    choose(emr, "enc-stemi-pci")
    emr.click("#open-differential")
    expect(frame(emr).locator("#who")).to_contain_text("enc-stemi-pci · doc-lu")
    choose(emr, "enc-diabetic-ketoacidosis")
    expect(emr.locator("#panel iframe")).to_have_count(0)
    emr.click("#open-differential")
    expect(frame(emr).locator("#who")).to_contain_text("enc-diabetic-ketoacidosis")
    emr.select_option("#user", "nurse-he")
    expect(emr.locator("#panel iframe")).to_have_count(0)
    emr.click("#open-differential")
    panel = frame(emr)
    expect(panel.locator("#who")).to_contain_text("nurse-he")
    expect(panel.get_by_text("只有医师可以回填").first).to_be_visible(timeout=WORK_MS)
    expect(panel.get_by_role("button", name="一键回填")).to_have_count(0)


def test_a_page_of_another_origin_may_not_frame_it(
    browser: BrowserContext, hospital: Hospital
) -> None:
    body = {
        "task": "discharge_record",
        "patient_id": "pat-1",
        "encounter_id": "e1",
        "origin": hospital.emr,
    }
    address = hospital.bedside.address
    acting = {**hospital.headers, "X-Actor-Id": "doc-lu", "X-Actor-Role": "doctor"}
    made = httpx.post(
        f"{address}/v1/embed-sessions", json=body, headers=acting, trust_env=False
    ).json()
    page = browser.new_page()
    evil = "http://127.0.0.1:9/"
    html = f'<iframe src="{address}{made["url"]}"></iframe>'
    page.route(evil, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.goto(evil)
    until = time.monotonic() + 60
    while len(page.frames) < 2 or not page.frames[1].url.startswith("chrome-error:"):
        assert time.monotonic() < until, [one.url for one in page.frames]
        page.wait_for_timeout(100)
    page.close()
