"""鉴别诊断 as a doctor uses it."""

from __future__ import annotations

import json
import re

import pytest
from browser_visit import Visit
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_members_stand_side_by_side_with_model_and_badge(visit: Visit) -> None:
    visit.run_example()
    for name in ("知识库排序", "甲", "乙"):
        expect(visit.card(name)).to_be_visible()
    boxes = [visit.card(name).bounding_box() for name in ("知识库排序", "甲")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    expect(visit.card("甲").get_by_text("仅供演示")).to_be_visible()
    expect(visit.card("甲").get_by_text("echo")).to_be_visible()
    expect(visit.card("知识库排序").get_by_text("I21.9")).to_be_visible()
    expect(visit.page.get_by_text("杜承运 男 58岁")).to_be_visible()
    expect(visit.page.get_by_text("仅为草稿，须经执业医师审核")).to_be_visible()


def test_must_not_miss_stands_above_the_members(visit: Visit) -> None:
    visit.run_example()
    critical = visit.page.get_by_role("region", name="不可漏诊")
    above, below = critical.bounding_box(), visit.card("知识库排序").bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"]


def test_fill_in_waits_for_the_doctor(visit: Visit) -> None:
    visit.run_example()
    card = visit.card("甲")
    flagged = card.locator(".statement.unsupported")
    expect(flagged.first).to_contain_text("无依据")
    card.get_by_role("button", name="一键回填").click()
    expect(card.get_by_role("alert")).to_contain_text("没有依据")
    expect(visit.page.get_by_label("回填文本").first).not_to_be_visible()
    while flagged.count():
        before = flagged.count()
        flagged.first.get_by_role("button", name="确认").click()
        expect(flagged).to_have_count(before - 1)
    expect(card.get_by_text("已由医师确认").first).to_be_visible()
    card.get_by_role("button", name="一键回填").click()
    text = visit.page.locator("#case-fill-text")
    expect(text).to_have_value(re.compile("首次病程记录.*病例特点.*诊疗计划", re.DOTALL))
    fields = json.loads(visit.page.locator("#case-fill-json").text_content() or "")
    assert set(fields) >= {"text", "fields", "notice"}


def test_a_statement_can_be_edited_deleted_and_restored(visit: Visit) -> None:
    visit.run_example()
    card = visit.card("甲")
    item = card.locator(".statement").first
    item.get_by_text("编辑").click()
    item.get_by_label("修改这条内容").fill("胸骨后疼痛向背部放射")
    item.get_by_role("button", name="保存").click()
    expect(item).to_contain_text("胸骨后疼痛向背部放射")
    expect(item).to_contain_text("已由医师修改")
    item.get_by_role("button", name="撤销").click()
    expect(item).to_contain_text("无依据")
    item.get_by_role("button", name="删除").click()
    expect(item).to_contain_text("已删除")


def test_opinions_and_error_reports_are_kept(visit: Visit) -> None:
    visit.run_example()
    card = visit.card("知识库排序")
    card.get_by_role("button", name="有用", exact=True).click()
    expect(card.get_by_role("status")).to_contain_text("已记录：有用")
    expect(card.get_by_role("button", name="有用", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    card.get_by_text("识别错误").click()
    card.get_by_label("有误的文字").fill("大汗")
    card.get_by_label("说明").fill("不是多汗")
    card.get_by_label("正确内容").fill("冷汗")
    card.get_by_role("button", name="提交错误").click()
    expect(card.get_by_role("status")).to_contain_text("共 1 条")
    visit.tab("反馈")
    expect(visit.page.get_by_text("冷汗").first).to_be_visible()
    expect(visit.page.get_by_role("cell", name="知识库排序").first).to_be_visible()


def test_record_evidence_is_highlighted_in_the_record(visit: Visit) -> None:
    visit.run_example()
    chip = visit.card("知识库排序").locator(".chip.record").first
    start, end = (int(chip.get_attribute(f"data-{name}") or 0) for name in ("start", "end"))
    note = chip.get_attribute("data-note")
    chip.click()
    expect(visit.page.locator("#evidence-card")).to_be_visible()
    record = visit.page.locator("[data-record-name=case]")
    text = record.locator(f"[data-note-name={note}]").text_content() or ""
    expect(record).to_have_attribute("data-highlighted", text[start:end])
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("#evidence-card")).not_to_be_visible()


def test_an_edited_complaint_marks_the_result_as_old_until_run_again(visit: Visit) -> None:
    visit.run_example()
    page = visit.page
    page.get_by_role("tab", name="病历录入").click()
    page.fill("#case-chief_complaint textarea", "发热、咳嗽3天")
    page.press("#case-chief_complaint textarea", "Tab")
    expect(page.get_by_text("病历在分析之后已有修改")).to_be_visible()
    page.click("#run-case")
    expect(page.get_by_text("病历在分析之后已有修改")).not_to_be_visible()
    expect(page.locator("[data-note-name=chief_complaint]")).to_have_text("发热、咳嗽3天")


def test_a_bad_form_is_answered_with_a_sentence(visit: Visit) -> None:
    page = visit.page
    page.click("#run-case")
    expect(page.get_by_text("病历内容为空")).to_be_visible()
    visit.new_patient()
    page.fill("#case-chief_complaint textarea", "头痛")
    page.get_by_label("年龄").fill("很老")
    page.click("#run-case")
    expect(page.get_by_text("年龄无法识别")).to_be_visible()
    page.get_by_label("年龄").fill("58")
    page.get_by_label("患者编号").fill("张三 1")
    page.click("#run-case")
    expect(page.get_by_text("编号只能用字母")).to_be_visible()


def test_earlier_drafts_are_opened_again_after_a_reload(visit: Visit) -> None:
    page = visit.page
    visit.new_patient()
    page.fill("#case-chief_complaint textarea", "发热、咳嗽3天，可能有胸痛")
    page.get_by_label("姓名").fill("某甲")
    patient = page.get_by_label("患者编号").input_value()
    encounter = page.get_by_label("就诊编号").input_value()
    page.click("#run-case")
    visit.finished()
    expect(page.locator(".note-text .uncertain")).to_have_text("胸痛")
    card = visit.card("知识库排序")
    card.get_by_role("button", name="有用", exact=True).click()
    expect(card.get_by_role("status")).to_contain_text("已记录：有用")
    card.get_by_role("button", name="一键回填").click()
    expect(page.locator("#case-fill-text")).to_have_value(re.compile("首次病程记录"))

    # The page asks for its state when it is alive: what is typed before would be lost.
    with page.expect_response("**/queue/join*"):
        page.reload()
    page.locator("#run-case").wait_for()
    assert page.locator(".earlier").count() == 0
    page.get_by_label("患者编号").fill(patient)
    page.get_by_label("就诊编号").fill(encounter)
    page.keyboard.press("Tab")
    earlier = page.locator(".earlier:visible")
    earlier.locator("summary").click()
    expect(earlier).to_contain_text("3 份草稿 · 已回填 1")
    earlier.get_by_role("button").press("Enter")
    expect(visit.card("知识库排序").get_by_role("status")).to_contain_text("已记录：有用")
    expect(page.locator("#case-fill-text")).to_have_value(re.compile("首次病程记录"))
    expect(page.get_by_text("某甲")).to_be_visible()
    page.get_by_role("tab", name="病历录入").click()
    expect(page.locator("#case-chief_complaint textarea")).to_have_value(
        re.compile("发热、咳嗽3天")
    )


def test_a_patient_without_ids_is_given_some(visit: Visit) -> None:
    page = visit.page
    page.fill("#case-text textarea", "患者发热、咳嗽3天。")
    page.click("#run-case")
    visit.finished()
    page.get_by_role("tab", name="病历录入").click()
    expect(page.get_by_label("患者编号")).to_have_value(re.compile("^pat-"))
    expect(page.get_by_label("就诊编号")).to_have_value(re.compile("^enc-"))
