"""Events that come in, and what is made of them: each once, of the newest record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from counting_task import Counting
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.settings import Settings
from assistant.store import Context
from assistant.work.registry import Registry

EVENTS = "/v1/events"


@pytest.fixture
def rules() -> list[dict[str, Any]]:
    return [{"id": "count", "events": ["note.saved", "encounter.discharge"], "tasks": ["counting"]}]


@pytest.fixture
def client(settings: Settings, rules: list[dict[str, Any]]) -> Iterator[TestClient]:
    (settings.home / "events.yaml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    app = build_app(settings, with_ui=False, tasks=Registry([Counting()]))
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def event(key: str, text: str = "发热3天。", **fields: Any) -> dict[str, Any]:
    note = {"id": "n1", "kind": "admission", "text": text}
    encounter = {"id": "enc-1", "patient": {"id": "pat-1"}}
    return {"id": key, "type": "note.saved", "encounter": encounter, "note": note} | fields


def drafts(client: TestClient, count: int) -> list[Any]:
    """The drafts of the stay, when there are so many."""
    store = client.app.state.services.store  # type: ignore[attr-defined]
    context = Context("doctor-1", "doctor", "pat-1", "enc-1")
    for _ in range(600):
        found = store.drafts.list(context)
        if len(found) >= count:
            return list(found)
        time.sleep(0.05)
    raise AssertionError(f"{len(found)} drafts")


def requests(client: TestClient) -> list[Any]:
    store = client.app.state.services.store  # type: ignore[attr-defined]
    return list(store.requests.list(Context("doctor-1", "doctor", "pat-1", "enc-1")))


def test_a_draft_is_there_before_anybody_asks(client: TestClient) -> None:
    answer = client.post(EVENTS, json=event("e1"))
    assert answer.status_code == 202
    kept = answer.json()
    assert kept["new"]
    (work,) = kept["work"]
    assert (work["rule"], work["kind"], work["status"]) == ("count", "counting", "made")
    assert {d.section for d in drafts(client, 2)} == {"notes", "diagnoses"}


def test_the_same_event_and_the_same_record_make_nothing_twice(client: TestClient) -> None:
    first = client.post(EVENTS, json=event("e1")).json()
    again = client.post(EVENTS, json=event("e1")).json()
    assert (again["new"], again["id"]) == (False, first["id"])
    other = client.post(EVENTS, json=event("e2")).json()
    assert other["new"]
    assert other["work"][0]["request_id"] == first["work"][0]["request_id"]
    assert len(requests(client)) == 1
    changed = client.post(EVENTS, json=event("e1", "另一内容。"))
    assert changed.status_code == 409


def test_a_changed_record_makes_the_old_drafts_stale(client: TestClient) -> None:
    client.post(EVENTS, json=event("e1"))
    old = drafts(client, 2)
    client.post(EVENTS, json=event("e2", "发热4天。"))
    found = drafts(client, 4)
    current = {d.id for d in found if d.stale_at is None}
    assert len(current) == 2
    assert not current & {d.id for d in old}
    client.post(EVENTS, json=event("e3", "发热3天。"))
    back = {d.id for d in drafts(client, 4) if d.stale_at is None}
    assert back == {d.id for d in old}, "changed back: nothing is made again"
    assert len(requests(client)) == 2


@pytest.mark.parametrize(
    "rules",
    [[{"id": "later", "events": ["note.saved"], "tasks": ["counting"], "debounce_seconds": 3600}]],
)
def test_a_debounce_takes_the_newest_record(client: TestClient) -> None:
    for number in range(3):
        kept = client.post(EVENTS, json=event(f"e{number}", f"发热{number}天。")).json()
        assert kept["work"][0]["status"] == "waiting"
    assert not requests(client)
    store = client.app.state.services.store  # type: ignore[attr-defined]
    from datetime import timedelta

    real = store.database.clock
    store.database.clock = lambda: real() + timedelta(hours=2)
    try:
        (request,) = store.record_events.make_due() or requests(client)
        assert store.record_events.make_due() == []
    finally:
        store.database.clock = real
    assert request.payload["notes"][0]["text"] == "发热2天。"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": "note.deleted"}, 422),
        ({"id": ""}, 422),
        ({"id": "a b"}, 422),
        ({"encounter": {"id": "enc-1"}}, 422),
        ({"extra": 1}, 422),
    ],
)
def test_an_event_that_is_none(client: TestClient, change: dict[str, Any], status: int) -> None:
    assert client.post(EVENTS, json=event("e1") | change).status_code == status
    assert not requests(client)


def test_rules_that_are_wrong_are_told_and_nothing_is_lost(
    client: TestClient, settings: Settings
) -> None:
    (settings.home / "events.yaml").write_text("- {id: x}", encoding="utf-8")
    answer = client.post(EVENTS, json=event("e1"))
    assert answer.status_code == 503
    assert "events.yaml" in answer.json()["detail"]
    (settings.home / "events.yaml").unlink()
    assert client.post(EVENTS, json=event("e1")).json()["new"], "it may be sent again"


def test_a_purge_takes_events_and_what_waits(client: TestClient) -> None:
    client.post(EVENTS, json=event("e1"))
    drafts(client, 2)
    store = client.app.state.services.store  # type: ignore[attr-defined]
    from sqlalchemy import func, select

    from assistant.store import SYSTEM
    from assistant.store.models.record_event import EventWorkRow, RecordEventRow

    store.purge_patient("pat-1", SYSTEM)
    with store.database.read() as session:
        for table in (EventWorkRow, RecordEventRow):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    assert store.audit.verify().ok


def test_who_may_send_events(settings: Settings, client: TestClient) -> None:
    for role, status in (("system", 202), ("auditor", 403)):
        store = client.app.state.services.store  # type: ignore[attr-defined]
        _, secret = store.api_keys.create(f"emr-{role}", role, "test")
        headers = {"Authorization": f"Bearer {secret}"}
        sent = client.post(EVENTS, json=event(f"e-{role}"), headers=headers)
        assert sent.status_code == status
    rows = store.audit.list(patient_id="pat-1", limit=50)
    row = next(r for r in rows if r.action == "event.receive")
    assert (row.actor_id, row.object_type) == ("emr-system", "app:key:emr-system")


def test_a_header_of_another_patient_is_refused(client: TestClient) -> None:
    """A session tied to one patient (its header is set for it) begins nothing for another."""
    answer = client.post(EVENTS, json=event("e1"), headers={"X-Patient-Id": "pat-2"})
    assert answer.status_code == 409
    assert requests(client) == []
