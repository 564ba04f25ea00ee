"""出院记录 as a doctor uses it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser_visit import Visit
from playwright.sync_api import expect

from assistant.tasks.discharge.draft import SECTION_ZH

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).parents[3] / "assistant" / "samples" / "encounters"


def write(visit: Visit, option: str = "胆囊结石") -> None:
    visit.tab("出院记录")
    visit.choose("#sample-stay", option)
    visit.page.get_by_role("region", name="基本信息").wait_for()
    visit.page.click("#run-stay")
    visit.finished()


def test_the_record_is_written_section_by_section(visit: Visit) -> None:
    write(visit)
    head = visit.page.get_by_role("region", name="基本信息")
    expect(head).to_contain_text("沈若琳")
    expect(head).to_contain_text("2025年8月18日")
    expect(head).to_contain_text("胆囊标本病理检查")
    for title in SECTION_ZH.values():
        expect(visit.card(title).get_by_role("button", name="一键回填")).to_be_visible()
    expect(visit.card("入院情况").get_by_text("仅供演示")).to_be_visible()
    expect(visit.card("出院诊断").get_by_text("照抄自数据")).to_be_visible()
    assert visit.page.locator(".signature .line").inner_text() == ""


def test_evidence_opens_the_note_and_highlights_it(visit: Visit) -> None:
    write(visit)
    chip = visit.card("出院诊断").locator(".chip.record").first
    chip.click()
    record = visit.page.locator("[data-record-name=stay]")
    expect(record).to_have_attribute("data-highlighted", "胆囊结石伴慢性胆囊炎")
    note = record.locator(f"[data-note-name='{chip.get_attribute('data-note')}']")
    expect(note).to_be_visible()


def test_the_whole_record_is_copied_when_every_section_is_filled_in(visit: Visit) -> None:
    write(visit)
    whole = visit.page.get_by_role("region", name="整份出院记录")
    expect(whole).to_contain_text("0/5")
    for title in SECTION_ZH.values():
        card = visit.card(title)
        flagged = card.locator(".statement.unsupported")
        while count := flagged.count():
            flagged.first.get_by_role("button", name="删除").click()
            expect(flagged).to_have_count(count - 1)
        card.get_by_role("button", name="一键回填").click()
        expect(card.get_by_label("回填文本")).to_be_visible()
    text = visit.page.locator("#whole-text")
    expect(text).to_contain_text("出院记录")
    expect(text).to_contain_text("入院日期：2025年8月18日")
    for title in SECTION_ZH.values():
        expect(text).to_contain_text(f"{title}：")
    assert (text.text_content() or "").endswith("医师签名：")


def test_a_section_is_judged_and_its_signed_text_returned(visit: Visit) -> None:
    write(visit)
    card = visit.card("出院诊断")
    card.get_by_role("button", name="无用", exact=True).click()
    expect(card.get_by_role("status")).to_contain_text("已记录：无用")
    card.get_by_role("button", name="一键回填").click()
    area = card.get_by_label("回填文本")
    area.fill(area.input_value() + "。")
    card.get_by_role("button", name="存回签署稿").click()
    expect(card.get_by_text(re.compile("编辑距离 1"))).to_be_visible()


def test_ones_own_stay_is_opened_and_a_broken_one_refused(visit: Visit) -> None:
    visit.tab("出院记录")
    page = visit.page
    own = page.locator("#own-stay")
    own.get_by_text("粘贴或上传").click()
    own.get_by_label("住院数据 JSON").fill('{"id": ')
    own.get_by_role("button", name="打开").click()
    expect(page.get_by_text("住院数据不符合格式")).to_be_visible()
    stay = json.loads((SAMPLES / "stemi-pci.json").read_text(encoding="utf-8"))
    own.get_by_label("住院数据 JSON").fill(json.dumps(stay, ensure_ascii=False))
    own.get_by_role("button", name="打开").click()
    expect(page.get_by_role("region", name="基本信息")).to_contain_text(stay["patient"]["name"])


def test_a_file_is_opened_without_being_stored_by_the_server(visit: Visit) -> None:
    visit.tab("出院记录")
    page = visit.page
    page.locator("#own-stay").get_by_text("粘贴或上传").click()
    page.set_input_files("#own-stay input[type=file]", SAMPLES / "pneumonia-adult.json")
    name = json.loads((SAMPLES / "pneumonia-adult.json").read_text())["patient"]["name"]
    expect(page.get_by_role("region", name="基本信息")).to_contain_text(name)
    assert not [url for url in visit.requests if "/upload" in url]


def test_a_pasted_stay_is_found_again_by_its_ids(visit: Visit) -> None:
    page = visit.page

    def paste(text: str) -> None:
        visit.tab("出院记录")
        own = page.locator("#own-stay")
        own.get_by_text("粘贴或上传").click()
        own.get_by_label("住院数据 JSON").fill(text)
        own.get_by_label("患者编号").fill("pat-pasted")
        own.get_by_label("就诊编号").fill("enc-pasted")
        own.get_by_role("button", name="打开").click()

    paste("")
    expect(page.get_by_text("还没有出院记录草稿")).to_be_visible()
    page.locator("#own-stay").get_by_label("住院数据 JSON").fill("患者咳嗽3天入院。予头孢曲松。")
    page.locator("#own-stay").get_by_role("button", name="打开").click()
    expect(page.get_by_text("pat-pasted").first).to_be_visible()
    page.click("#run-stay")
    visit.finished()
    page.reload()
    page.locator("#run-case").wait_for()
    paste("")
    expect(visit.card("诊疗经过").get_by_role("button", name="一键回填")).to_be_visible()


def test_a_section_with_nothing_left_does_not_hold_up_the_record(visit: Visit) -> None:
    write(visit)
    empty = visit.card("诊疗经过")
    standing = empty.locator(".statement:not(.deleted, .offered)")
    while count := standing.count():
        standing.first.hover()
        standing.first.get_by_role("button", name="删除").click()
        expect(standing).to_have_count(count - 1)
    expect(empty.get_by_role("button", name="一键回填")).to_have_count(0)
    for title in SECTION_ZH.values():
        card = visit.card(title)
        flagged = card.locator(".statement.unsupported")
        while count := flagged.count():
            flagged.first.get_by_role("button", name="删除").click()
            expect(flagged).to_have_count(count - 1)
        if card.get_by_role("button", name="一键回填").count():
            card.get_by_role("button", name="一键回填").click()
            expect(card.get_by_label("回填文本")).to_be_visible()
    expect(visit.page.locator("#whole-text")).to_contain_text(
        "诊疗经过：（草稿无内容，请医师书写）"
    )


def test_the_advice_for_the_patient_is_made_read_and_printed(visit: Visit) -> None:
    visit.tab("出院记录")
    visit.choose("#sample-stay", "胆囊结石")
    visit.page.get_by_role("region", name="基本信息").wait_for()
    card = visit.card("患者版")
    card.get_by_role("button", name="生成患者版").click()
    expect(card.get_by_text("句全部有出处")).to_be_visible()
    levels = card.get_by_role("table", name="阅读难度")
    expect(levels).to_contain_text("平均句长")
    expect(levels).to_contain_text("易读")

    sheet = card.frame_locator("iframe")
    expect(sheet.get_by_role("heading", name="出院后怎么做")).to_be_visible()
    expect(sheet.locator("body.large")).to_have_count(1)
    expect(sheet.locator("body")).to_contain_text("0.3g")
    card.get_by_role("button", name="标准字").click()
    expect(sheet.locator("body.large")).to_have_count(0)

    # What the doctor deletes is on no sheet of paper.
    last = card.locator(".statement:not(.deleted)").last
    gone = last.locator(".said").inner_text()
    expect(sheet.locator("body")).to_contain_text(gone)
    last.get_by_role("button", name="删除").click()
    expect(sheet.locator("body")).not_to_contain_text(gone)

    card.locator(".chip.record").first.click()
    expect(visit.page.locator("[data-record-name=stay]")).to_have_attribute(
        "data-highlighted", re.compile("胆囊结石")
    )
    page = visit.page
    page.evaluate(
        "document.getElementById('lay-page').contentWindow.print = () => { window.asked = true; }"
    )
    card.get_by_role("button", name="打印或存为 PDF").click()
    assert page.evaluate("window.asked") is True
    paper = page.context.new_page()
    paper.set_content(page.locator("#lay-page").get_attribute("srcdoc") or "")
    assert paper.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    paper.close()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("article", name="For the patient")).to_contain_text("Reading level")
