"""Confirmed laboratory sheets are evidence in other tasks, which are told of them by nobody."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from bill_samples import kept
from starlette.testclient import TestClient

from assistant.alerts.alert import Alert
from assistant.alerts.engine import alerts_of
from assistant.alerts.rule import rules_of
from assistant.draft import Draft, Statement
from assistant.interop.hooks.making import alert_card
from assistant.interop.hooks.note_process import NOTE_PROCESS
from assistant.record.encounter import Encounter
from assistant.record.evidence import PageBox, Rectangle, TextSpan
from assistant.record.observation import Observation
from assistant.record.page_boxes import add_boxes, boxed_lines
from assistant.settings import Settings
from assistant.store import Context, Store
from assistant.store.database import utc_now
from assistant.tasks.bill_ocr.document import BillDocument, Cell, DocumentKind
from assistant.tasks.bill_ocr.draft import BillReading
from assistant.tasks.bill_ocr.joining import joined

HEADERS = {"X-Patient-Id": "pat-1", "X-Encounter-Id": "enc-1"}
HERE = Context("demo-doctor", "doctor", "pat-1", "enc-1")
ANYWHERE = Context("demo-doctor", "doctor", "pat-1", "")
PAGE = "00000000-0000-7000-8000-000000000001"


@pytest.fixture
def store(client: TestClient) -> Store:
    opened: Store = client.app.state.services.store  # type: ignore[attr-defined]
    return opened


ENCOUNTER: dict[str, Any] = {
    "id": "enc-1",
    "patient": {"id": "pat-1"},
    "admitted_at": "2024-03-04T09:00:00",
    "notes": [{"id": "n1", "kind": "progress", "text": "患者无腹痛。"}],
}


def sheet(client: TestClient, store: Store, day: str, value: str, context: Context = HERE) -> None:
    """A sheet with one result, accepted."""
    box = Rectangle(x=9, y=2, width=30, height=9)
    document = BillDocument(
        kind=DocumentKind.LABORATORY_SHEET,
        fields={"sampled_at": Cell(value=f"{day} 08:12")},
        items=[
            {
                "name": Cell(value="血红蛋白"),
                "value": Cell(value=value, text=value, box=box),
                "unit": Cell(value="g/L"),
                "range": Cell(value="115-150"),
                "flag": Cell(value="↓"),
            }
        ],
    )
    bill = kept(store, context, BillReading(document=document, attachments=[PAGE]))
    headers = {"X-Patient-Id": "pat-1", "X-Encounter-Id": context.encounter_id}
    url = f"/v1/bills/documents/{bill}"
    done = client.post(url, json={"version": 1, "accept": True}, headers=headers)
    assert done.status_code == 200, done.text


def asked(client: TestClient, question: str, key: str = "") -> dict[str, Any]:
    headers = HEADERS | ({"Idempotency-Key": key} if key else {})
    body = {"encounter": ENCOUNTER, "question": question, "use_model": False}
    answer = client.post("/v1/record-qa?wait=true", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def told(said: dict[str, Any]) -> str:
    """The words and the cells of an answer."""
    words = [part["text"] for draft in said["drafts"] for part in draft["statements"]]
    tables = [table for draft in said["drafts"] for table in draft["tables"]]
    return " ".join([*words, *(cell for table in tables for row in table["rows"]
                               for cell in row["cells"])])  # fmt: skip


def test_an_answer_leads_to_the_box_on_the_page(client: TestClient, store: Store) -> None:
    assert "98" not in told(asked(client, "血红蛋白是多少？", "first"))
    sheet(client, store, "2024-03-05", "98")
    said = asked(client, "血红蛋白是多少？")
    assert "98" in told(said)
    boxes = [
        one
        for draft in said["drafts"]
        for sentence in [*draft["statements"], *(r for t in draft["tables"] for r in t["rows"])]
        for one in sentence["evidence"]
        if one["kind"] == "box"
    ]
    assert boxes
    assert (boxes[0]["attachment_id"], boxes[0]["x"], boxes[0]["quote"]) == (PAGE, 9, "98")
    # What was asked before the sheet came is still the same request.
    assert "98" not in told(asked(client, "血红蛋白是多少？", "first"))


def test_notes_to_structure_get_the_results_as_a_note_that_trends(
    client: TestClient, store: Store
) -> None:
    sheet(client, store, "2024-03-05", "98")
    sheet(client, store, "2024-03-09", "121")
    body = {
        "patient_id": "pat-1",
        "encounter_id": "enc-1",
        "notes": [{"id": "n1", "text": "患者无腹痛。"}],
    }
    answer = client.post("/v1/structured-notes?wait=true", json=body, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert [note["note_id"] for note in said["notes"]] == ["n1", "laboratory-sheets"]
    (course,) = [points for name, points in said["patient"]["results"].items() if "血红" in name]
    assert [point["value"] for point in course] == ["98", "121"]


def test_only_what_belongs_to_the_stay_joins_it(client: TestClient, store: Store) -> None:
    sheet(client, store, "2020-01-01", "77", ANYWHERE)
    sheet(client, store, "2024-03-06", "88", ANYWHERE)
    sheet(client, store, "2024-03-05", "98")
    made = joined(ENCOUNTER, HERE, store)
    assert [row["value"] for row in made["observations"]] == ["98", "88"]
    # What the record has already is not said twice, and nobody else's record gets it.
    assert joined(made, HERE, store) is made
    at = "2024-03-05T08:00:00"
    own = ENCOUNTER | {"observations": [{"id": "o1", "name": "血红蛋白", "value": "98", "at": at}]}
    assert [row["value"] for row in joined(own, HERE, store)["observations"]] == ["98", "88"]
    other = Context("demo-doctor", "doctor", "pat-2", "enc-2")
    assert joined(ENCOUNTER, other, store) is ENCOUNTER


class _Report(Draft):
    statements: list[Statement]


def test_boxes_stand_behind_the_lines_they_are_of() -> None:
    box = PageBox(quote="98", attachment_id=PAGE, x=1, y=2, width=3, height=4)
    at = datetime(2024, 3, 5)
    rows = [
        Observation(id="o1", name="钾", value="4.1"),
        Observation(id="o2", name="血红蛋白", value="98", at=at, box=box),
    ]
    (line,) = boxed_lines(rows)
    first = TextSpan(quote="4.1", note_id="table:observations", start=0, end=line.start)
    second = TextSpan(quote="98", note_id="table:observations", start=line.start + 2, end=line.end)
    elsewhere = TextSpan(quote="98", note_id="n1", start=line.start, end=line.end)
    spans = (first, second, elsewhere)
    report = _Report(
        kind="x",
        statements=[
            Statement(id=str(n), text="", status="supported", evidence=[span])
            for n, span in enumerate(spans)
        ],
    )
    add_boxes(report, rows)
    assert [len(one.evidence) for one in report.statements] == [1, 2, 1]
    assert report.statements[1].evidence[1] == box
    assert "box" not in rows[0].model_dump()


def boxes_in(value: Any) -> list[dict[str, Any]]:
    """Every box on a page inside of ``value``."""
    if isinstance(value, dict):
        own = [value] if value.get("kind") == "box" and "attachment_id" in value else []
        return own + [one for part in value.values() for one in boxes_in(part)]
    return [one for part in value for one in boxes_in(part)] if isinstance(value, list) else []


def test_findings_and_what_events_begin_lead_to_the_box(
    settings: Settings, client: TestClient, store: Store
) -> None:
    rules = [{"id": "all", "events": ["encounter.discharge"], "tasks": ["record_qc"]}]
    waiting = [rules[0] | {"id": "later", "events": ["note.saved"], "debounce_seconds": 600}]
    (settings.home / "events.yaml").write_text(json.dumps(rules + waiting), encoding="utf-8")
    stay = ENCOUNTER | {"discharged_at": "2024-03-12T09:00:00"}
    left = {"id": "e1", "type": "encounter.discharge", "encounter": stay}
    saved = {"id": "e2", "type": "note.saved", "encounter": stay, "note": stay["notes"][0]}
    sheet(client, store, "2024-03-05", "45")
    for sent in (left, saved):
        assert client.post("/v1/events", json=sent).status_code == 202
    # What waits is begun with what is known by then; the server's own desk may be quicker.
    sheet(client, store, "2024-03-06", "44")
    store.database.clock = lambda: utc_now() + timedelta(minutes=20)
    store.record_events.make_due()
    begun = [one.payload for one in store.requests.list(HERE) if one.kind == "record_qc"]
    values = sorted([row["value"] for row in one["observations"]] for one in begun)
    assert values == [["45"], ["45", "44"]]
    for path, body in (
        ("omission-checks", {"encounter": stay, "draft": "患者好转出院。"}),
        ("record-qc", {"encounter": stay}),
    ):
        answer = client.post(f"/v1/{path}?wait=true", json=body, headers=HEADERS)
        assert answer.status_code == 200, answer.text
        quoted = {box["quote"] for box in boxes_in(answer.json())}
        assert quoted, path
        assert quoted <= {"45", "44"}


def test_alerts_and_what_is_said_of_a_saved_note_lead_to_the_box(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet(client, store, "2024-03-05", "45")
    seen: list[Encounter] = []
    answering = client.app.state.hook_answering  # type: ignore[attr-defined]

    def keep(places: object, stay: Encounter, *more: object) -> list[Alert]:
        seen.append(stay)
        return []

    monkeypatch.setattr(NOTE_PROCESS, "ask", keep)
    answering._said_of(Encounter.model_validate(ENCOUNTER), "n1")
    ((row,),) = [stay.observations for stay in seen]
    assert (row.value, row.box and row.box.quote) == ("45", "45")
    found = alerts_of(seen[0], rules_of(answering._parts.settings.home, []))
    (alert,) = [one for one in found if any(isinstance(e, PageBox) for e in one.evidence)]
    assert "单据图像第1页" in (alert_card("c1", alert, []).detail or "")
