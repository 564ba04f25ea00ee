"""What must hold on every page: keyboard, language, escaping, no other host, no open door."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from browser_visit import Server, Visit, open_page
from playwright.sync_api import BrowserContext, expect

from assistant.opening import open_store
from assistant.settings import Settings

pytestmark = pytest.mark.browser
ROLES = ("auditor", "nurse")
ATTACK = (
    "<script>window.broken=1</script><img src=x onerror='window.broken=2'>"
    '"><svg onload=alert(1)> ${window.broken=3} {{constructor}} </textarea><b>粗体</b>'
)


def test_a_case_is_run_judged_and_read_by_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    keyboard = page.keyboard

    def reach(selector: str, limit: int = 80) -> None:
        for _ in range(limit):
            keyboard.press("Tab")
            if page.evaluate("s => document.activeElement?.matches(s) ?? false", selector):
                return
        raise AssertionError(f"{selector} cannot be reached by keyboard")

    reach("#example-case input")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#case-chief_complaint textarea').value")
    reach("#run-case")
    keyboard.press("Enter")
    visit.finished()
    reach(".chip")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    keyboard.press("Enter")
    expect(page.locator("#evidence-card")).to_be_visible()
    keyboard.press("Escape")
    reach("[data-do=verdict]")
    keyboard.press("Enter")
    expect(page.get_by_text("已记录：有用").first).to_be_visible()
    reach("article[aria-label=甲] [data-action=confirmed]", 120)
    keyboard.press("Space")
    expect(visit.card("甲").get_by_text("已由医师确认").first).to_be_visible()
    for _ in range(120):
        keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement?.id") == "page-differential-button":
            break
    keyboard.press("Tab")
    assert page.evaluate("document.activeElement?.getAttribute('role')") == "tab"


def test_english_is_one_click_away_and_keeps_what_was_typed(visit: Visit) -> None:
    visit.run_example()
    page = visit.page
    page.get_by_role("tab", name="病历录入").click()
    page.fill("#case-past_history textarea", "自己写的既往史")
    page.get_by_role("button", name="English").click()
    for name in ("Differential diagnosis", "Discharge record", "Knowledge", "System"):
        expect(page.get_by_role("tab", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text("Must not be missed").first).to_be_visible()
    expect(visit.card("甲").get_by_role("button", name="Fill in")).to_be_visible()
    expect(page.get_by_text("demo only").first).to_be_visible()
    expect(page.get_by_text("A licensed doctor must review")).to_be_visible()
    expect(page.get_by_label("Past history")).to_have_value("自己写的既往史")
    assert page.evaluate("document.documentElement.lang") == "en"
    visit.tab("System")
    expect(page.get_by_role("region", name="Knowledge base")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("region", name="知识库", exact=True)).to_be_visible()
    expect(page.get_by_role("tab", name="出院记录", exact=True)).to_be_visible()


def test_record_and_model_text_cannot_bring_markup(visit: Visit) -> None:
    page = visit.page
    visit.new_patient()
    page.fill("#case-chief_complaint textarea", f"胸痛，大汗{ATTACK}")
    page.get_by_label("姓名").fill(ATTACK)
    page.click("#run-case")
    visit.finished()
    expect(page.locator("[data-note-name=chief_complaint]")).to_have_text(f"胸痛，大汗{ATTACK}")
    visit.tab("出院记录")
    stay = {
        "id": "enc-x",
        "patient": {"id": "pat-x", "name": ATTACK},
        "notes": [{"id": "n1", "title": ATTACK, "kind": "admission", "text": f"主诉：{ATTACK}"}],
    }
    own = page.locator("#own-stay")
    own.get_by_text("粘贴或上传").click()
    own.get_by_label("住院数据 JSON").fill(json.dumps(stay))
    own.get_by_role("button", name="打开").click()
    expect(page.get_by_role("region", name="基本信息")).to_contain_text("<script>")
    page.click("#run-stay")
    visit.finished()
    # The echo engine gives the note back, so this is also what a model would have written.
    expect(visit.card("入院情况")).to_contain_text("<")
    visit.tab("知识问答")
    page.fill("#question textarea", f"过敏性鼻炎{ATTACK}")
    page.click("#send")
    expect(page.locator(".turn .asked")).to_contain_text("<script>")
    page.locator(".turn .statement").first.wait_for()
    assert page.evaluate("window.broken") is None
    assert page.locator(".panel :is(script, img, svg[onload])").count() == 0
    assert page.get_by_text("粗体", exact=True).count() == 0


def test_no_request_leaves_the_machine(visit: Visit) -> None:
    visit.run_example()
    for name in ("出院记录", "知识问答", "反馈", "系统"):
        visit.tab(name)
    expect(visit.page.get_by_role("region", name="知识库", exact=True)).to_be_visible()
    assert len(visit.requests) > 10
    assert visit.strangers() == []


def test_the_page_keeps_nothing_in_the_browser(visit: Visit) -> None:
    visit.run_example()
    kept = visit.page.evaluate(
        """async () => JSON.stringify([localStorage, sessionStorage]) +
        JSON.stringify((await indexedDB.databases()).map((d) => d.name))"""
    )
    assert "杜承运" not in kept
    assert "胸骨" not in kept


def test_gradio_offers_no_api_of_its_own(server: Server) -> None:
    with urllib.request.urlopen(f"{server.address}/gradio_api/info") as answer:
        assert json.load(answer) == {"named_endpoints": {}, "unnamed_endpoints": {}}


def test_nothing_is_shown_before_a_key_is_given(
    browser: BrowserContext, closed_server: Server
) -> None:
    for path in ("config", "gradio_api/info", "theme.css"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{closed_server.address}/{path}")
        assert refused.value.code == 401
    visit = open_page(browser, closed_server.address)
    page = visit.page
    expect(page.get_by_label("API key")).to_be_visible()
    assert page.locator("#run-case").count() == 0
    page.fill("#key", "bsk_wrong")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_contain_text("无效")
    store = open_store(Settings(home=closed_server.home))
    key_id, key = store.api_keys.create("dr-lin", "doctor", "test")
    page.fill("#key", key)
    page.get_by_role("button").click()
    expect(page.locator(".who")).to_contain_text("dr-lin")
    visit.run_example()
    expect(visit.card("甲")).to_be_visible()
    store.api_keys.revoke(key_id)
    store.close()
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()
    page.close()
    assert visit.strangers() == []


def test_the_pages_hold_to_the_roles_of_the_api(
    browser: BrowserContext, closed_server: Server
) -> None:
    store = open_store(Settings(home=closed_server.home))
    keys = {role: store.api_keys.create(f"{role}-1", role, "test")[1] for role in ROLES}
    store.close()
    for role, key in keys.items():
        visit = open_page(browser, closed_server.address)
        page = visit.page
        page.fill("#key", key)
        page.get_by_role("button").click()
        page.locator("#run-case").wait_for()
        page.fill("#case-text textarea", "发热、咳嗽3天。")
        page.click("#run-case")
        if role == "auditor":
            expect(page.get_by_text("当前角色不能查看或提交病历")).to_be_visible()
            assert page.locator("article.member").count() == 0
        else:
            visit.finished()
            visit.card("知识库排序").get_by_role("button", name="一键回填").click()
            expect(page.get_by_text("只有医师可以回填或签署")).to_be_visible()
            assert page.locator("#case-fill-text").count() == 0
        page.goto(f"{closed_server.address}/sign-out")
        page.close()


def test_passing_through_the_examples_by_keyboard_changes_nothing(visit: Visit) -> None:
    page = visit.page
    visit.choose("#example-case", "胸痛")
    complaint = page.locator("#case-chief_complaint textarea")
    expect(complaint).not_to_have_value("")
    complaint.fill("自己改过的主诉")
    page.locator("#example-case input").focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(1_000)
    expect(complaint).to_have_value("自己改过的主诉")
    visit.new_patient()
    visit.choose("#example-case", "胸痛")
    expect(complaint).not_to_have_value("")
    visit.tab("出院记录")
    visit.choose("#sample-stay", "胆囊结石")
    page.get_by_role("region", name="基本信息").wait_for()
    page.click("#run-stay")
    visit.finished()
    page.locator("#sample-stay input").focus()
    page.keyboard.press("Tab")
    page.wait_for_timeout(1_000)
    expect(visit.card("诊疗经过")).to_be_visible()
