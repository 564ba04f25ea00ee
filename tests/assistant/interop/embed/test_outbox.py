"""Accepted texts reach the hospital's system, signed, each once in its effect."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from assistant.interop.embed.delivery import deliver
from assistant.interop.settings import WebhookSettings
from assistant.store import Context, Store
from assistant.store.outbox import LONGEST_WAIT, wait_after

SECRET = "a shared secret of both"
WEBHOOK = WebhookSettings(url="http://emr.test/hook", secret=SECRET, most_tries=3)  # type: ignore[arg-type]
CONTEXT = Context("doc-1", "doctor", "pat-1", "enc-1")
KEY = b"0123456789abcdef"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def accepted(store: Store, text: str = "出院诊断：胆囊结石。") -> str:
    request = store.requests.submit(CONTEXT, "discharge_record", {"a": 1}, "hash")
    draft = store.drafts.add(
        CONTEXT,
        request.id,
        "discharge_record",
        "m",
        "discharge_diagnosis",
        {"text": text},
        record_hash="hash",
        model="m",
        prompt_version="p",
        knowledge_version="k",
    )
    store.drafts.accept(CONTEXT, draft.id, text, 0, {"discharge_diagnosis": text})
    return draft.id


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Store:
    opened = Store.open(tmp_path / "b.db", KEY, clock)
    opened.outbox.enabled = True
    return opened


def sent(store: Store, statuses: list[int]) -> list[httpx.Request]:
    """What one round posts to an EMR that answers these statuses."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(statuses[min(len(seen), len(statuses)) - 1])

    async def round_() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await deliver(store, WEBHOOK, client)

    asyncio.run(round_())
    return seen


def test_an_accepted_text_goes_out_signed(store: Store) -> None:
    draft = accepted(store)
    (request,) = sent(store, [200])
    body = request.content
    stamp = request.headers["x-bedside-timestamp"]
    wanted = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    assert request.headers["x-bedside-signature"] == f"sha256={wanted}"
    told = json.loads(body)
    assert told["draft_id"] == draft
    assert told["fields"] == {"discharge_diagnosis": "出院诊断：胆囊结石。"}
    assert told["ai_generated"] is True
    assert sent(store, [200]) == [], "once"
    assert store.outbox.counts().sent == 1


def test_it_is_sent_again_later_under_the_same_key_and_given_up_at_last(
    store: Store, clock: Clock
) -> None:
    accepted(store)
    keys = []
    for _ in range(3):
        (request,) = sent(store, [503])
        keys.append(request.headers["idempotency-key"])
        assert sent(store, [503]) == [], "not before its time"
        clock.now += LONGEST_WAIT
    assert len(set(keys)) == 1
    assert sent(store, [200]) == []
    assert store.outbox.counts().failed == 1
    assert store.outbox.send_again() == 1
    assert sent(store, [200])[0].headers["idempotency-key"] == keys[0]


def test_a_redirect_is_no_acceptance(store: Store) -> None:
    accepted(store)
    assert len(sent(store, [302])) == 1
    assert store.outbox.counts().waiting == 1


def test_the_same_text_is_told_once_and_a_changed_one_anew(store: Store) -> None:
    draft = accepted(store)
    store.drafts.accept(CONTEXT, draft, "出院诊断：胆囊结石。", 0)
    assert len(sent(store, [200])) == 1
    store.drafts.accept(CONTEXT, draft, "出院诊断：胆囊结石伴胆囊炎。", 0)
    (request,) = sent(store, [200])
    assert "胆囊炎" in json.loads(request.content)["text"]


def test_waits_grow_to_an_hour() -> None:
    waits = [wait_after(n) for n in range(1, 40)]
    assert waits[0] == timedelta(seconds=5)
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT


def test_without_a_webhook_nothing_is_kept_and_a_purge_takes_it(store: Store) -> None:
    store.outbox.enabled = False
    accepted(store)
    assert store.outbox.counts().waiting == 0
    store.outbox.enabled = True
    accepted(store, "另一份")
    assert store.outbox.counts().waiting == 1
    store.purge_patient("pat-1", CONTEXT)
    assert store.outbox.counts().waiting == 0


ACCEPTS_AND_DIES = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
from test_outbox import accepted, KEY
from assistant.store import Store
store = Store.open(sys.argv[1], KEY)
store.outbox.enabled = True
accepted(store)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_after_the_acceptance_it_still_goes_out(tmp_path: Path) -> None:
    path = tmp_path / "killed.db"
    Store.open(path, KEY).close()
    code = [sys.executable, "-c", ACCEPTS_AND_DIES, str(path), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path.cwd())])}
    ended = subprocess.run(code, env=environment, check=False)
    assert ended.returncode == -signal.SIGKILL
    store = Store.open(path, KEY)
    assert store.outbox.counts().waiting == 1
    assert len(sent(store, [200])) == 1
    store.close()


def test_killed_before_the_commit_there_is_neither_text_nor_message(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(store.outbox, "put", fails)
    with pytest.raises(RuntimeError):
        accepted(store)
    (draft,) = store.drafts.list(CONTEXT)
    assert draft.accepted_at is None
    assert store.outbox.counts().waiting == 0
