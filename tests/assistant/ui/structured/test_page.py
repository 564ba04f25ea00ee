"""后结构化 as a doctor uses it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from browser_visit import Visit
from playwright.sync_api import Locator, expect
from structured_sample import ATTACK

pytestmark = pytest.mark.browser
NOTE = (
    "主诉：发热、咳嗽3天。\n"
    "现病史：2024年3月1日受凉后发热，最高38.5℃，无胸痛。"
    "胸部CT示右下肺感染，考虑肺炎，予头孢呋辛1.5g bid治疗。WBC 12.3×10^9/L↑。"
    "\n既往史：高血压10年，口服氨氯地平5mg qd。父亲有糖尿病。"
)


def enter(visit: Visit, text: str = NOTE) -> None:
    visit.tab("后结构化")
    visit.page.fill("#notes-text textarea", text)


def run(visit: Visit, text: str = NOTE) -> Locator:
    enter(visit, text)
    visit.page.click("#run-notes")
    record = visit.page.locator("[data-record-name=notes]")
    expect(record).to_be_visible()
    visit.finished()
    return record


def open_tab(visit: Visit, name: str) -> None:
    visit.page.get_by_role("tab", name=name, exact=True).click()


def test_entities_are_marked_by_type_and_polarity(visit: Visit) -> None:
    record = run(visit)
    expect(record.locator("[data-note-name=n1]")).to_have_text(NOTE)
    denied = record.locator(".en.t-symptom.absent")
    expect(denied.first).to_have_text("胸痛")
    assert "否认" in (denied.first.get_attribute("title") or "")
    expect(record.locator(".en.t-disease.family").first).to_have_text("糖尿病")
    card = visit.page.get_by_role("region", name="结构化结果")
    expect(card).to_contain_text("草稿")
    expect(card).to_contain_text("须经执业医师审核")
    denied.first.click()
    expect(visit.page.locator("#evidence-card")).to_contain_text("否认")


def test_problem_timeline_value_and_relation_lead_to_their_words(visit: Visit) -> None:
    record = run(visit)
    page = visit.page

    def leads(button: Locator, words: str) -> None:
        button.click()
        expect(record).to_have_attribute("data-highlighted", words)

    problems = page.get_by_role("region", name="问题列表")
    leads(problems.get_by_role("button", name="高血压"), "高血压")
    timeline = page.get_by_role("region", name="时间轴")
    expect(timeline.locator("li.dated time").first).to_have_text("2024-03-01")
    leads(timeline.locator("li.dated .name").first, "发热")
    leads(page.get_by_role("region", name="检验与测量").get_by_role("button", name="12.3"), "WBC")
    open_tab(visit, "实体")
    row = page.locator("table.entities tr").filter(has_text="头孢呋辛")
    leads(row.get_by_role("button"), "头孢呋辛")
    open_tab(visit, "关系")
    item = page.locator(".relations li").filter(has_text="频次").first
    leads(item.locator(".quote"), item.locator(".quote").inner_text())


def test_words_far_down_are_scrolled_to(visit: Visit) -> None:
    record = run(visit, "复查未见异常。\n" * 300 + "诊断：高血压。")
    visit.page.get_by_role("region", name="问题列表").get_by_role("button", name="高血压").click()
    expect(record).to_have_attribute("data-highlighted", "高血压")
    expect(record.locator(".en.t-disease").last).to_be_in_viewport()


def test_the_original_tab_comes_back_when_a_place_is_asked_for(visit: Visit) -> None:
    record = run(visit)
    open_tab(visit, "病历录入")
    expect(record).to_be_hidden()
    visit.page.get_by_role("region", name="问题列表").get_by_role("button", name="高血压").click()
    expect(record).to_be_visible()


def test_a_type_is_hidden_and_shown_again(visit: Visit) -> None:
    record = run(visit)
    drug = record.locator(".en.t-drug").first
    color = "e => getComputedStyle(e).backgroundColor"
    before = drug.evaluate(color)
    toggle = record.get_by_role("button", name="药物")
    toggle.click()
    expect(toggle).to_have_attribute("aria-pressed", "false")
    assert drug.evaluate(color) != before
    open_tab(visit, "实体")
    row = visit.page.locator("tr.t-drug").first
    expect(row).to_be_hidden()
    toggle.click()
    expect(row).to_be_visible()
    assert drug.evaluate(color) == before


def test_the_graph_is_drawn_and_walked_by_keyboard(visit: Visit) -> None:
    record = run(visit)
    page = visit.page
    open_tab(visit, "关系")
    graph = page.locator(".graph svg")
    node = graph.get_by_role("button", name="疾病 高血压")
    expect(node).to_be_visible()
    node.hover()
    expect(graph.locator(".gnode.near")).not_to_have_count(0)
    expect(graph.locator(".gedge.near").first).to_be_attached()
    node.focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert "高血压" not in focused
    page.keyboard.press("Enter")
    expect(record).to_have_attribute("data-highlighted", focused.split("，")[0].split(" ", 1)[1])
    before = graph.get_attribute("viewBox")
    page.get_by_role("button", name="+", exact=True).click()
    assert graph.get_attribute("viewBox") != before
    page.get_by_role("button", name="0", exact=True).click()
    assert graph.get_attribute("viewBox") == before


@pytest.mark.parametrize("form", ["CSV", "JSON", "FHIR"])
def test_a_result_is_downloaded(visit: Visit, form: str, tmp_path: Path) -> None:
    run(visit)
    exports = visit.page.get_by_role("group", name="导出")
    with visit.page.expect_download() as waiting:
        exports.get_by_role("button", name=form, exact=True).click()
    target = tmp_path / "result"
    waiting.value.save_as(target)
    text = target.read_text(encoding="utf-8-sig")
    assert waiting.value.suggested_filename.startswith("pat-")
    assert not [url for url in visit.requests if "pat-" in url]
    if form == "CSV":
        lines = text.splitlines()
        assert lines[0].startswith("note_id,entity,start,end,text,type")
        assert any(",胸痛,symptom,症状,absent," in line for line in lines)
    else:
        found = json.loads(text)
        assert found["notes"] if form == "JSON" else found["resourceType"] == "Bundle"


def test_files_are_read_and_what_cannot_be_is_refused(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "入院.txt").write_text("发热、咳嗽3天，考虑肺炎。", encoding="gb18030")
    notes = [{"text": "头痛。", "title": "门诊"}, {"text": "复查胸片。"}]
    lines = "\n".join(json.dumps(n, ensure_ascii=False) for n in notes)
    (tmp_path / "b.jsonl").write_text(lines, encoding="utf-8")
    (tmp_path / "scan.json").write_bytes(b"\x89PNG\0\0")
    visit.tab("后结构化")
    page = visit.page
    names = ("入院.txt", "b.jsonl", "scan.json")
    page.set_input_files("#notes-files input", [tmp_path / name for name in names])
    files = page.locator("#notes-files .files")
    expect(files).to_contain_text("入院.txt 1 份病历")
    expect(files).to_contain_text("b.jsonl 2 份病历")
    expect(page.locator("#notes-files [role=alert]")).to_contain_text("scan.json")
    assert not [url for url in visit.requests if "/upload" in url]
    page.click("#run-notes")
    visit.finished()
    record = page.locator("[data-record-name=notes]")
    expect(record.locator("summary")).to_contain_text(["入院.txt", "门诊", "b.jsonl#2"])
    expect(record).to_contain_text("考虑肺炎")
    open_tab(visit, "病历录入")
    page.get_by_role("button", name="移除全部文件").click()
    expect(files).to_have_count(0)
    page.click("#run-notes")
    expect(page.get_by_text("请粘贴一份病历")).to_be_visible()


def test_too_much_at_once_is_refused_before_it_is_sent(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "big.txt").write_text("发热。" * 60_000, encoding="utf-8")
    visit.tab("后结构化")
    visit.page.set_input_files("#notes-files input", tmp_path / "big.txt")
    expect(visit.page.locator("#notes-files [role=alert]")).to_contain_text("内容过大")


def test_a_template_gives_a_table_of_features(visit: Visit) -> None:
    enter(visit, "右肺上叶见一实性结节，大小约12mm×8mm，边缘毛刺。双侧胸腔未见积液。")
    visit.choose("#notes-template", "胸部CT")
    visit.page.click("#run-notes")
    visit.finished()
    open_tab(visit, "特征表")
    table = visit.page.locator("table.features")
    row = table.locator("tr").filter(has=visit.page.get_by_role("rowheader", name="大小"))
    row.get_by_role("button").first.click()
    record = visit.page.locator("[data-record-name=notes]")
    expect(record).to_have_attribute("data-highlighted", re.compile("12mm"))
    expect(visit.page.get_by_role("button", name="特征表 CSV")).to_be_visible()


def test_a_stay_is_seen_as_one_patient(visit: Visit) -> None:
    visit.tab("后结构化")
    visit.choose("#sample-notes", "肺炎")
    page = visit.page
    expect(page.get_by_label("患者编号").locator("visible=true")).not_to_have_value("")
    page.click("#run-notes")
    visit.finished()
    results = page.get_by_role("region", name="检验与测量")
    expect(results.locator("svg.trend").first).to_be_visible()
    timeline = page.get_by_role("region", name="时间轴")
    expect(timeline.locator("li.dated").first).to_be_visible()
    expect(timeline.locator("li.undated").first).to_be_visible()


def test_a_note_without_anything_in_it_says_so(visit: Visit) -> None:
    run(visit, "一切如常。")
    expect(visit.page.get_by_text("没有识别到实体")).to_be_visible()


def test_a_note_brings_no_markup(visit: Visit) -> None:
    text = f"发热{ATTACK}，考虑肺炎。${{window.broken=3}}"
    record = run(visit, text)
    expect(record.locator("[data-note-name=n1]")).to_have_text(text)
    for tab in ("实体", "关系", "患者"):
        open_tab(visit, tab)
    page = visit.page
    assert page.evaluate("window.broken") is None
    assert page.locator(".structured-page :is(script, img)").count() == 0


def test_a_long_note_is_shown_whole(visit: Visit) -> None:
    text = NOTE * 80
    record = run(visit, text)
    last = record.locator(".en.t-disease").last
    open_tab(visit, "实体")
    expect(visit.page.locator("table.entities").first).to_be_visible()
    visit.page.locator("details.rest summary").last.click()
    expect(visit.page.locator("table.entities").last).to_be_visible()
    visit.page.locator("table.entities tr").last.get_by_role("button").click()
    expect(record).to_have_attribute("data-highlighted", "糖尿病")
    expect(last).to_be_in_viewport()


def test_a_run_is_stopped(visit: Visit) -> None:
    enter(visit, NOTE * 200)
    visit.page.click("#run-notes")
    visit.page.locator(".status:is(.queued, .running):visible").wait_for()
    visit.page.click("#stop-notes")
    expect(visit.page.get_by_text("已停止")).to_be_visible()
    expect(visit.page.get_by_role("region", name="结构化结果")).to_have_count(0)


def test_everything_is_english_at_one_press(visit: Visit) -> None:
    record = run(visit)
    page = visit.page
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("tab", name="Post-structuring", exact=True)).to_be_visible()
    expect(page.get_by_role("region", name="Problems")).to_be_visible()
    expect(record.get_by_role("button", name="drug")).to_be_visible()
    expect(record.locator(".en.t-symptom.absent").first).to_have_attribute(
        "title", "symptom：胸痛 · denied · 2024年3月1日（2024-03-01）"
    )
    expect(page.get_by_role("button", name="Structure", exact=True)).to_be_visible()
    expect(page.locator("#notes-text textarea")).to_have_value(NOTE)
    open_tab(visit, "Relations")
    expect(page.locator(".graph svg").get_by_role("button", name="disease 高血压")).to_be_visible()


def test_an_earlier_result_is_opened_again(visit: Visit) -> None:
    visit.tab("后结构化")
    patient = visit.page.locator("#notes-patient input")
    patient.fill("pat-again")
    run(visit)
    visit.page.reload()
    visit.page.locator("#run-case").wait_for()
    visit.tab("后结构化")
    patient.fill("pat-again")
    patient.blur()
    visit.page.get_by_text("历次草稿（1）").click()
    visit.page.locator("[data-do=reopen]:visible").click()
    record = visit.page.locator("[data-record-name=notes]")
    expect(record.locator("[data-note-name=n1]")).to_have_text(NOTE)
    expect(visit.page.get_by_role("region", name="问题列表")).to_contain_text("高血压")
