"""The viewer of evidence in a real browser: every kind, opened from one statement."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from attachment_samples import PAGE_SIZE, page
from browser_visit import Server, Visit
from playwright.sync_api import Locator, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from assistant.draft import Statement
from assistant.record.evidence import (
    CitedPassage,
    Evidence,
    PageBox,
    SlicePicture,
    TextSpan,
    VolumeRegion,
)
from assistant.store import Context, Store
from assistant.tasks.discharge.draft import SectionDraft

pytestmark = pytest.mark.browser
SAMPLES = Path(__file__).parents[3] / "assistant" / "samples" / "encounters"
STAY = json.loads((SAMPLES / "cholecystectomy-laparoscopic.json").read_text("utf-8"))
PATIENT = {"X-Patient-Id": STAY["patient"]["id"], "X-Encounter-Id": STAY["id"]}
EVIL = "<img src=x onerror=alert(1)>"
BOX = {"x": 200, "y": 300, "width": 100, "height": 30}


def post(server: Server, path: str, body: bytes, media_type: str) -> dict[str, Any]:
    headers = PATIENT | {"Content-Type": media_type}
    request = urllib.request.Request(server.address + path, body, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        made: dict[str, Any] = json.load(answer)
        return made


@pytest.fixture
def attachment(server: Server) -> str:
    return str(post(server, "/v1/attachments", page(), "image/png")["id"])


@pytest.fixture
def opened(visit: Visit, server: Server, attachment: str) -> Locator:
    """A statement with evidence of every kind, on the page of its task."""
    note = STAY["notes"][0]
    found: list[Evidence] = [
        PageBox(attachment_id=attachment, page=4, quote=f"合计{EVIL}", **BOX),
        VolumeRegion(
            series_id="s-1",
            label=f"胆囊{EVIL}",
            segment=1,
            quote="壁厚 4 mm",
            picture=SlicePicture(attachment_id=attachment, slice=12, x=0, y=0, width=80, height=60),
        ),
        TextSpan(note_id=note["id"], start=2, end=9, quote=note["text"][2:9]),
        CitedPassage(passage_id="guide:1", source="某指南", quote=f"推荐{EVIL}"),
        PageBox(attachment_id="gone", quote="没有的页", **BOX),
    ]
    statement = Statement(id="s1", text="胆囊壁增厚。", status="supported", evidence=found)
    draft = SectionDraft(
        section="hospital_course", title="诊疗经过", model="seen", statements=[statement]
    )
    body = {"encounter": STAY, "sections": ["discharge_orders"]}
    asked = json.dumps(body).encode()
    job = post(server, "/v1/discharge-records?wait=true", asked, "application/json")
    keep(server, job, draft)
    earlier = visit.page.locator("details.earlier:visible")
    for last in (False, True):
        # The page is alive when it has asked how far the models are.
        visit.page.locator(".engine.ready").wait_for()
        visit.tab("出院记录")
        visit.choose("#sample-stay", "胆囊结石")
        try:
            earlier.wait_for(timeout=15_000)
            break
        except PlaywrightTimeout:
            if last:
                raise
            # A busy browser may lose the event; a doctor would load the page anew.
            visit.page.reload()
    earlier.locator("summary").click()
    earlier.locator(f"button[data-request='{job['id']}']").click()
    item = visit.card("诊疗经过").locator(".statement", has_text="胆囊壁增厚")
    expect(item).to_be_visible()
    return item


def keep(server: Server, job: dict[str, Any], draft: SectionDraft) -> None:
    """What no task of ours says yet is put into the store beside what was made."""
    store = Store.open(server.home / "bedside.db", (server.home / "secret").read_bytes())
    content = {"draft": draft.model_dump(mode="json"), "text": draft.plain_text()}
    store.drafts.add(
        Context("demo-doctor", "doctor", job["patient_id"], job["encounter_id"]),
        job["id"],
        "discharge_record",
        *draft.place(),
        content,
        record_hash=job["record_hash"],
        model=draft.model,
        prompt_version="",
        knowledge_version="",
    )
    store.close()


def relative(card: Locator) -> list[float]:
    """Where the box is on the picture, in pixels of the picture."""
    image, box = (
        card.locator(what).bounding_box() for what in (".evidence-page img", ".evidence-box")
    )
    assert image is not None
    assert box is not None
    scale = PAGE_SIZE[0] / image["width"]
    places = (box["x"] - image["x"], box["y"] - image["y"], box["width"], box["height"])
    return [round(place * scale) for place in places]


def test_every_kind_of_evidence_is_shown(visit: Visit, opened: Locator) -> None:
    card = visit.page.locator("#evidence-card")
    chips = opened.locator(".chip")
    assert chips.all_inner_texts() == ["页面1", "影像2", "病历3", "知识4", "页面5"]

    chips.nth(0).click()
    expect(card).to_contain_text("页面 · 第4页")
    expect(card.locator("p")).to_have_text(f"合计{EVIL}")
    expect(card.locator(".evidence-box")).to_be_visible()
    assert card.locator("img").evaluate("i => [i.naturalWidth, i.naturalHeight]") == [*PAGE_SIZE]
    assert relative(card) == pytest.approx([200, 300, 100, 30], abs=2)

    chips.nth(1).click()
    expect(card.locator("b")).to_have_text(f"影像 · 胆囊{EVIL} 第12层")
    expect(card.locator(".evidence-box")).to_be_visible()
    assert relative(card) == pytest.approx([0, 0, 80, 60], abs=2)

    chips.nth(2).click()
    expect(card.locator("figure")).not_to_be_visible()
    record = visit.page.locator("[data-record-name=stay]")
    expect(record).to_have_attribute("data-highlighted", STAY["notes"][0]["text"][2:9])

    chips.nth(3).click()
    expect(card).to_contain_text(f"知识 · 某指南推荐{EVIL}")
    expect(card.locator("img")).to_have_count(0)

    chips.nth(4).click()
    expect(card.locator("figure")).to_have_text("图像打不开")


def test_pictures_are_for_who_may_see_the_patient(
    visit: Visit, server: Server, closed_server: Server, attachment: str
) -> None:
    place = f"pages/evidence/{attachment}"
    fetch = visit.page.request.get
    assert fetch(f"{server.address}/{place}", headers=PATIENT).status == 200
    other = {"X-Patient-Id": "somebody-else"}
    assert fetch(f"{server.address}/{place}", headers=other).status == 404
    assert fetch(f"{server.address}/{place}").status == 422
    assert fetch(f"{closed_server.address}/{place}", headers=PATIENT).status == 401
