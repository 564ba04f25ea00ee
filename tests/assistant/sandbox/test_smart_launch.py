"""Doctors come from the EMR's page by SMART App Launch, in a real browser: whom they see there,
and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import pytest
from browser_visit import PATIENCE_MS
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import Hospital

pytestmark = pytest.mark.browser
STAY = "enc-stemi-pci"
OTHER = "enc-diabetic-ketoacidosis"
PAGES_MS = 120_000
"""How long the pages may take to load on a busy machine; nothing is measured by it."""


@pytest.fixture(autouse=True)
def clean(browser: BrowserContext) -> Iterator[None]:
    """Each test begins logged out, and leaves no window."""
    browser.clear_cookies()
    yield
    for page in browser.pages:
        page.close()


@pytest.fixture
def asked(browser: BrowserContext, hospital: Hospital) -> Callable[..., int]:
    """The status that the browser's session gets at an address of Bedside."""

    def status(path: str, **headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return browser.request.get(f"{hospital.bedside.address}{path}", headers=named).status

    return status


def patient_of(hospital: Hospital, stay: str) -> str:
    return str(cast(dict[str, Any], hospital.api(f"stays/{stay}"))["patient"]["id"])


def launched(browser: BrowserContext, hospital: Hospital, user: str) -> Page:
    """What opens when the user presses the button of the EMR's page."""
    emr = browser.new_page()
    emr.set_default_timeout(PATIENCE_MS)
    emr.goto(hospital.emr)
    emr.locator("body[data-ready=true]").wait_for()
    emr.select_option("#stay", STAY)
    expect(emr.locator("#who")).to_contain_text(STAY)
    emr.select_option("#user", user)
    with browser.expect_page() as opened:
        emr.click("#launch")
    page = opened.value
    page.set_default_timeout(PATIENCE_MS)
    return page


def wait_until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_launch_is_for_one_patient_until_the_log_out(
    browser: BrowserContext, hospital: Hospital, asked: Callable[..., int]
) -> None:
    mine, other = patient_of(hospital, STAY), patient_of(hospital, OTHER)
    page = launched(browser, hospital, "doc-lu")
    table = page.locator("table").first
    for told in ("doc-lu（医师）", mine, STAY):
        expect(table).to_contain_text(told)
    assert asked("/v1/drafts") == 200
    assert asked("/v1/drafts", X_Patient_Id=other) == 403
    assert asked("/v1/drafts", X_Encounter_Id=OTHER) == 403

    page.click("summary")
    page.get_by_label("患者编号").fill(other)
    page.get_by_label("理由").fill("患者昏迷被送来抢救，需立即查看过敏史")
    page.get_by_role("button", name="打开 Open").click()
    expect(page.get_by_role("alert")).to_contain_text(f"紧急访问 break-glass：{other}")
    assert asked("/v1/drafts", X_Patient_Id=other) == 200
    assert asked("/v1/drafts", X_Patient_Id="pat-1") == 403

    page.get_by_role("link", name="打开工作台").click()
    expect(page.locator("body")).to_contain_text(f"{mine} {STAY}", timeout=PAGES_MS)
    expect(page.locator("body")).to_contain_text(other)

    page.goto(f"{hospital.bedside.address}/smart/session")
    page.get_by_role("button", name="退出").click()
    expect(page.get_by_role("heading")).to_contain_text("已退出 Logged out")
    assert page.url.startswith(hospital.emr), "logged out there too"
    assert asked("/v1/drafts") == 401
    page.goto(f"{hospital.bedside.address}/smart/session")
    expect(page.get_by_role("alert")).to_contain_text("没有登录")


def test_access_that_ends_is_renewed_until_the_log_in_is_over(
    browser: BrowserContext, hospital: Hospital, asked: Callable[..., int]
) -> None:
    page = browser.new_page()
    page.goto(f"{hospital.emr}/launch?stay={STAY}&user=doc-lu&seconds=1")
    expect(page.locator("table").first).to_contain_text(STAY)
    wait_until(lambda: asked("/v1/drafts") == 401)
    page.goto(f"{hospital.bedside.address}/smart/session")
    expect(page.locator("table").first).to_contain_text(STAY)
    httpx.post(f"{hospital.emr}/log-in/end", trust_env=False)
    wait_until(lambda: asked("/v1/drafts") == 401)
    page.goto(f"{hospital.bedside.address}/")
    expect(page.get_by_role("alert")).to_contain_text("登录已结束")
    assert asked("/smart/session") == 401


def test_a_doctor_who_comes_alone_chooses_the_patient_at_the_log_in(
    browser: BrowserContext, hospital: Hospital, asked: Callable[..., int]
) -> None:
    page = browser.new_page()
    page.goto(f"{hospital.bedside.address}/smart/login")
    assert page.url.startswith(f"{hospital.emr}/log-in/authorize")
    page.get_by_label("用户").select_option("doc-song")
    page.get_by_label("患者").select_option(OTHER)
    page.get_by_role("button", name="登录").click()
    table = page.locator("table").first
    for told in ("doc-song（医师）", patient_of(hospital, OTHER), OTHER):
        expect(table).to_contain_text(told)
    assert asked("/v1/drafts", X_Patient_Id=patient_of(hospital, STAY)) == 403


def test_who_has_no_right_reads_what_to_do(
    browser: BrowserContext, hospital: Hospital, asked: Callable[..., int]
) -> None:
    page = launched(browser, hospital, "clerk-wu")
    expect(page.get_by_role("alert")).to_contain_text("没有使用本系统的权限，请联系管理员")
    assert asked("/v1/drafts") == 401
    assert not [c for c in browser.cookies() if c["name"] == "bedside_smart"]
