"""A message that arrives begins the tasks of the rules, once, whoever is killed where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import counting_task
import hl7_samples as made
import pytest
import yaml
from counting_task import Counting
from hl7.client import MLLPClient
from starlette.testclient import TestClient

from assistant.application import build_app
from assistant.interop.arrival import Arrival, taker
from assistant.interop.events.arriving import arrive
from assistant.interop.handing import hand_on
from assistant.interop.hl7.mllp import framed
from assistant.interop.hl7.receiver import Receiver
from assistant.opening import open_store
from assistant.settings import Settings
from assistant.store import Context, Store
from assistant.work.registry import Registry

STAY = Context("doctor-1", "doctor", "p1", "e1")
RULES = [
    {"id": "count", "events": ["encounter.discharge", "result.final"], "tasks": ["counting"]},
]
TASKS = Registry([Counting()])
LISTENER = """
from counting_task import Counting
from assistant.cli import main
from assistant.interop.events import arriving
from assistant.work.registry import Registry
arriving._tasks = lambda: Registry([Counting()])
main()
"""
LEFT = made.message("ADT^A03", control="9", time="20260310103000")
WBC = "OBX|1|NM|WBC^白细胞计数||13.2|10*9/L|3.5-9.5|H|||F"


@pytest.fixture(autouse=True)
def tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.interop.events.arriving._tasks", lambda: TASKS)


@pytest.fixture
def home(settings: Settings) -> Path:
    (settings.home / "events.yaml").write_text(yaml.safe_dump(RULES), encoding="utf-8")
    return settings.home


@pytest.fixture
def client(settings: Settings, home: Path) -> Iterator[TestClient]:
    app = build_app(settings, with_ui=False, tasks=TASKS)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as opened:
        yield opened


def store_of(client: TestClient) -> Store:
    return client.app.state.services.store  # type: ignore[attr-defined,no-any-return]


def ready(store: Store, count: int) -> Counter[str]:
    """The sections of the stay's drafts, when there are so many."""
    for _ in range(1200):
        found = Counter(draft.section for draft in store.drafts.list(STAY))
        if found.total() >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def test_messages_over_mllp_make_drafts_in_the_server(
    client: TestClient, settings: Settings, free_port: int
) -> None:
    """The listener is another process; one that nobody here wrote sends to it.

    It has the task installed as the server has: either of them may be the first to hand on.
    """
    environment = {**os.environ, "BEDSIDE_HOME": str(settings.home)}
    environment["BEDSIDE_SECRET"] = settings.secret.get_secret_value()
    environment["PYTHONPATH"] = str(Path(counting_task.__file__).parent)
    command = [sys.executable, "-c", LISTENER, "hl7", "listen", "--port", str(free_port)]
    listener = subprocess.Popen(
        command, env=environment, cwd=Path(__file__).parents[4], stderr=subprocess.PIPE, text=True
    )
    try:
        assert listener.stderr is not None
        assert "listening" in listener.stderr.readline()
        with MLLPClient("127.0.0.1", free_port) as sender:
            for text in (made.message(), made.result(WBC), LEFT, LEFT):
                assert b"MSA|AA|" in sender.send(framed(text.encode("gb18030")))
        store = store_of(client)
        ready(store, 2)
        for _ in range(200):
            if not store.messages.waiting():
                break
            time.sleep(0.05)
        assert not store.messages.waiting()
    finally:
        listener.kill()
        listener.wait(10)
        if listener.stderr is not None:
            listener.stderr.close()


def test_a_message_sent_again_and_handed_on_by_two_makes_one_request(
    client: TestClient, settings: Settings
) -> None:
    store = store_of(client)
    receiver = Receiver(store)
    for text in (made.message(), LEFT, LEFT):
        receiver.receive(text.encode())
    hand_on(store, taker(settings, store))
    assert ready(store, 2) == {"notes": 1, "diagnoses": 1}
    assert len(store.requests.list(STAY)) == 1


def test_killed_after_the_event_and_before_it_was_noted(settings: Settings, home: Path) -> None:
    """The stay has grown until the message is handed on again: still one event of it."""
    store = open_store(settings)
    receiver = Receiver(store)
    receiver.receive(LEFT.encode())

    def killed(arrival: Arrival) -> None:
        arrive(arrival, settings=settings, store=store, tasks=TASKS)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hand_on(store, killed)
    receiver.receive(made.result(WBC).encode())
    taking = partial(arrive, settings=settings, store=store, tasks=TASKS)
    assert hand_on(store, taking) == 2
    assert not store.messages.waiting()
    made_now = store.record_events.make_due()
    assert [(row.kind, row.patient_id) for row in made_now] == [("counting", "p1")]
    # What is begun is of the newest record.
    assert [o["name"] for o in made_now[0].payload["observations"]] == ["白细胞计数"]
    assert store.record_events.make_due() == []
    store.close()


def test_what_was_kept_before_a_kill_is_taken_at_the_next_start(
    settings: Settings, home: Path
) -> None:
    store = open_store(settings)
    Receiver(store).receive(LEFT.encode())
    store.close()
    app = build_app(settings, with_ui=False, tasks=TASKS)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert ready(store_of(client), 2) == {"notes": 1, "diagnoses": 1}


def test_a_fhir_notification_makes_a_draft_once(client: TestClient) -> None:
    gone: dict[str, Any] = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "IMP"},
        "subject": {"reference": "Patient/p1"},
    }
    for _ in range(2):
        answer = client.post("/v1/fhir/notifications", content=json.dumps(gone))
        assert answer.status_code == 200, answer.text
    assert ready(store_of(client), 2) == {"notes": 1, "diagnoses": 1}
    assert len(store_of(client).requests.list(STAY)) == 1


def test_rules_that_cannot_be_read_lose_no_message(settings: Settings, home: Path) -> None:
    rules = home / "events.yaml"
    good = rules.read_text(encoding="utf-8")
    rules.write_text("- id: [", encoding="utf-8")
    store = open_store(settings)
    Receiver(store).receive(LEFT.encode())
    taking = partial(arrive, settings=settings, store=store, tasks=TASKS)
    assert hand_on(store, taking) == 0
    rules.write_text(good, encoding="utf-8")
    assert hand_on(store, taking) == 1
    assert len(store.record_events.make_due()) == 1
    store.close()
