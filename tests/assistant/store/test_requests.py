from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from assistant.store import (
    Context,
    IdempotencyConflict,
    InvalidArgument,
    QueueFull,
    RequestNotFound,
    RequestRow,
    Store,
)
from assistant.store.identifier import new_id

Submit = Callable[..., RequestRow]


def test_a_request_comes_back_as_it_was_sent(
    store: Store, context: Context, submit: Submit, clock: Any
) -> None:
    payload = {"text": "体温38.5℃ 🙂", "age": 58, "tests": [{"name": "WBC", "value": 11.2}]}
    made = submit("differential_diagnosis", payload, options={"members": ["a"]})
    row = store.requests.get(context, made.id)
    assert (row.kind, row.status, row.payload) == ("differential_diagnosis", "queued", payload)
    assert (row.options, row.record_hash) == ({"members": ["a"]}, "hash-1")
    assert row.created_at == clock.now
    assert row.context == context


def test_text_that_no_database_can_hold_keeps_its_length(
    store: Store, context: Context, submit: Submit
) -> None:
    made = submit(payload={"text": "a\x00b\ud800c"})
    assert store.requests.get(context, made.id).payload == {"text": "a\ufffdb\ufffdc"}


@pytest.mark.parametrize("payload", [{"x": float("nan")}, {"x": object()}])
def test_a_payload_that_is_not_json_is_refused(submit: Submit, payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        submit(payload=payload)


def test_a_kind_that_is_no_name_is_refused(submit: Submit) -> None:
    with pytest.raises(InvalidArgument):
        submit(kind="a horoscope")


def test_another_patient_sees_nothing_and_the_attempt_is_noted(
    store: Store, context: Context, other: Context, submit: Submit
) -> None:
    row = submit()
    for wrong in (other, Context("doctor-1", "doctor", "patient-1", "encounter-9")):
        with pytest.raises(RequestNotFound):
            store.requests.get(wrong, row.id)
        with pytest.raises(RequestNotFound):
            store.requests.cancel(wrong, row.id)
        assert not store.requests.list(wrong)
    actions = [entry.action for entry in store.audit.list(patient_id="patient-2")]
    assert actions == ["request.list", "request.cancel_refused", "request.read_refused"]
    assert store.requests.get(context, row.id).status == "queued"


def test_what_belongs_to_no_patient_is_its_own_actors(store: Store, submit: Submit) -> None:
    mine = Context("doctor-1", "doctor", "")
    row = submit("chat", ctx=mine)
    assert store.requests.get(mine, row.id).id == row.id
    assert [found.id for found in store.requests.list(mine)] == [row.id]
    for stranger in (Context("doctor-2", "doctor", ""), Context("doctor-1", "doctor", "p")):
        assert not store.requests.list(stranger)
        with pytest.raises(RequestNotFound):
            store.requests.get(stranger, row.id)


@pytest.mark.parametrize(
    "request_id", ["张三", "", "\x00", "\ud800", "x" * 10_000, pytest.param(new_id(), id="unknown")]
)
def test_an_id_from_outside_finds_nothing_and_is_not_written_down(
    store: Store, context: Context, request_id: str
) -> None:
    with pytest.raises(RequestNotFound):
        store.requests.get(context, request_id)
    noted = store.audit.list(limit=1)[0]
    assert noted.action == "request.read_refused"
    assert "张三" not in noted.object_id
    assert len(noted.object_id) <= 64


def test_the_same_key_makes_one_request(store: Store, context: Context, submit: Submit) -> None:
    first = submit(idempotency_key="k-1")
    assert submit(idempotency_key="k-1").id == first.id
    assert len(store.requests.list(context)) == 1
    with pytest.raises(IdempotencyConflict):
        submit(payload={"text": "别的"}, idempotency_key="k-1")
    with pytest.raises(IdempotencyConflict):
        submit("chat", idempotency_key="k-1")


def test_a_full_queue_takes_nothing_new_and_gives_back_what_it_took(
    store: Store, context: Context, submit: Submit
) -> None:
    first = submit(idempotency_key="k-1", max_queued=1)
    with pytest.raises(QueueFull):
        submit(max_queued=1)
    assert submit(idempotency_key="k-1", max_queued=1).id == first.id
    assert len(store.requests.list(context)) == 1


def test_two_actors_may_use_the_same_key(submit: Submit) -> None:
    stranger = Context("doctor-2", "doctor", "patient-1", "encounter-1")
    first = submit(idempotency_key="k-1")
    assert submit(ctx=stranger, idempotency_key="k-1").id != first.id


def test_the_same_key_from_many_threads_makes_one_request(
    store: Store, context: Context, submit: Submit
) -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.append(submit(idempotency_key="k").id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert len(set(made)) == 1
    assert len(store.requests.list(context)) == 1


@pytest.mark.parametrize("key", ["", "a\nb", "k" * 200])
def test_a_bad_key_is_refused(submit: Submit, key: str) -> None:
    with pytest.raises(InvalidArgument, match="Idempotency-Key"):
        submit(idempotency_key=key)


def test_the_oldest_request_is_claimed_first_and_once(store: Store, submit: Submit) -> None:
    first, second = submit(), submit()
    claimed = store.requests.claim_next()
    assert claimed is not None
    assert (claimed.id, claimed.status, claimed.attempts) == (first.id, "running", 1)
    assert store.requests.claim(first.id) is None
    assert store.requests.claim(second.id) is not None
    assert store.requests.claim_next() is None


def test_many_workers_share_the_requests(store: Store, submit: Submit) -> None:
    wanted = {submit().id for _ in range(12)}
    claimed: list[str] = []

    def work() -> None:
        while (row := store.requests.claim_next()) is not None:
            claimed.append(row.id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(wanted)


def test_finish_and_fail(store: Store, context: Context, submit: Submit, clock: Any) -> None:
    done, broken = submit(), submit()
    store.requests.claim(done.id)
    store.requests.claim(broken.id)
    clock.forward(seconds=5)
    assert store.requests.finish(done.id).ended_at == clock.now
    store.requests.fail(broken.id, "没有可用的模型")
    row = store.requests.get(context, broken.id)
    assert (row.status, row.failure) == ("failed", "没有可用的模型")
    assert store.requests.status(done.id) == "finished"
    assert store.requests.count("failed") == 1


def test_a_cancelled_request_stays_cancelled(
    store: Store, context: Context, submit: Submit
) -> None:
    row = submit()
    store.requests.claim(row.id)
    assert store.requests.cancel(context, row.id).status == "cancelled"
    assert store.requests.finish(row.id).status == "cancelled"
    assert store.requests.fail(row.id, "late").failure is None
    assert store.requests.claim(row.id) is None


def test_a_finished_request_is_not_cancelled(
    store: Store, context: Context, submit: Submit
) -> None:
    row = submit()
    store.requests.claim(row.id)
    store.requests.finish(row.id)
    assert store.requests.cancel(context, row.id).status == "finished"


def test_after_a_crash_running_requests_are_taken_up_ten_times_at_most(
    path: Path, secret: bytes, store: Store, context: Context, submit: Submit
) -> None:
    row, waiting = submit(), submit()
    for attempt in range(1, 10):
        claimed = store.requests.claim(row.id)
        assert claimed is not None
        assert claimed.attempts == attempt
        # A new process finds it running.
        again = Store.open(path, secret)
        assert again.requests.requeue_unfinished() == 1
        again.close()
    store.requests.claim(row.id)
    assert store.requests.requeue_unfinished() == 0
    failed = store.requests.get(context, row.id)
    assert failed.status == "failed"
    assert "10 times" in (failed.failure or "")
    assert store.requests.status(waiting.id) == "queued"


def test_an_orderly_stop_does_not_count(store: Store, submit: Submit) -> None:
    row = submit()
    for _ in range(5):
        claimed = store.requests.claim(row.id)
        assert claimed is not None
        assert claimed.attempts == 1
        store.requests.release(row.id)


def test_a_request_with_a_heartbeat_is_left_alone(store: Store, submit: Submit, clock: Any) -> None:
    silent, alive = submit(), submit()
    store.requests.claim(silent.id)
    store.requests.claim(alive.id)
    clock.forward(minutes=10)
    store.requests.heartbeat(alive.id)
    assert store.requests.requeue_unfinished(timedelta(minutes=5)) == 1
    assert store.requests.status(silent.id) == "queued"
    assert store.requests.status(alive.id) == "running"


def test_pages_give_every_request_once(store: Store, context: Context, submit: Submit) -> None:
    made = [submit().id for _ in range(7)]
    seen: list[str] = []
    before = None
    while page := store.requests.list(context, before=before, limit=3):
        seen += [row.id for row in page]
        before = seen[-1]
    assert seen == made[::-1]


def test_lists_can_be_narrowed(store: Store, context: Context, submit: Submit) -> None:
    chat, record = submit("chat"), submit()
    store.requests.claim(record.id)
    assert [row.id for row in store.requests.list(context, kind="chat")] == [chat.id]
    assert [row.id for row in store.requests.list(context, status="running")] == [record.id]


@pytest.mark.parametrize("limit", [0, -1, 501])
def test_a_page_has_a_size(store: Store, context: Context, limit: int) -> None:
    with pytest.raises(InvalidArgument):
        store.requests.list(context, limit=limit)


def test_a_page_starts_behind_an_id(store: Store, context: Context) -> None:
    with pytest.raises(InvalidArgument):
        store.requests.list(context, before="' OR 1=1 --")


@pytest.mark.parametrize("call", ["status", "finish"])
def test_an_unknown_request(store: Store, call: str) -> None:
    with pytest.raises(RequestNotFound):
        getattr(store.requests, call)(new_id())
