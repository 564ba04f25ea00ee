from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from assistant.store import (
    IdempotencyConflict,
    IdempotencyInProgress,
    InvalidArgument,
    Replay,
    RequestRow,
    Store,
)
from assistant.store import idempotency as module

ROUTE = "POST /v1/discharge-records"


def test_the_second_time_gives_the_first_answer(store: Store) -> None:
    assert store.idempotency.begin("a", "k", ROUTE, "hash") is None
    store.idempotency.complete("a", "k", 202, '{"id": "1"}')
    assert store.idempotency.begin("a", "k", ROUTE, "hash") == Replay(202, '{"id": "1"}')


def test_answers_outlast_a_restart(store: Store, path: Path, secret: bytes) -> None:
    store.idempotency.begin("a", "k", ROUTE, "hash")
    store.idempotency.complete("a", "k", 201, "{}")
    again = Store.open(path, secret)
    assert again.idempotency.begin("a", "k", ROUTE, "hash") == Replay(201, "{}")
    again.close()


def test_another_body_or_route_is_a_conflict(store: Store) -> None:
    store.idempotency.begin("a", "k", ROUTE, "hash")
    for complete in (False, True):
        if complete:
            store.idempotency.complete("a", "k", 201, "{}")
        with pytest.raises(IdempotencyConflict):
            store.idempotency.begin("a", "k", ROUTE, "other")
        with pytest.raises(IdempotencyConflict):
            store.idempotency.begin("a", "k", "POST /v1/feedback", "hash")


def test_keys_belong_to_their_actor(store: Store) -> None:
    store.idempotency.begin("a", "k", ROUTE, "hash")
    assert store.idempotency.begin("b", "k", ROUTE, "other") is None


def test_while_the_first_is_answered_the_second_has_to_wait(store: Store) -> None:
    store.idempotency.begin("a", "k", ROUTE, "hash")
    with pytest.raises(IdempotencyInProgress):
        store.idempotency.begin("a", "k", ROUTE, "hash")


def test_of_many_at_once_one_begins(store: Store) -> None:
    results: list[Any] = []

    def begin() -> None:
        try:
            results.append(store.idempotency.begin("a", "k", ROUTE, "hash"))
        except IdempotencyInProgress as error:
            results.append(error)

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert results.count(None) == 1


def test_what_failed_may_be_tried_again_with_another_body(store: Store) -> None:
    store.idempotency.begin("a", "k", ROUTE, "hash")
    store.idempotency.abandon("a", "k")
    assert store.idempotency.begin("a", "k", ROUTE, "mended") is None


def test_abandoning_does_not_forget_an_answer(store: Store) -> None:
    store.idempotency.begin("a", "k", ROUTE, "hash")
    store.idempotency.complete("a", "k", 201, "{}")
    store.idempotency.abandon("a", "k")
    assert store.idempotency.begin("a", "k", ROUTE, "hash") == Replay(201, "{}")


def test_after_a_crash_it_is_begun_again_and_makes_one_object(
    store: Store, path: Path, secret: bytes, submit: Callable[..., RequestRow]
) -> None:
    store.idempotency.begin("doctor-1", "k", ROUTE, "hash")
    made = submit(idempotency_key="k")
    # The process ends here, before the answer is kept; the client asks the next one again.
    again = Store.open(path, secret)
    assert again.idempotency.begin("doctor-1", "k", ROUTE, "hash") is None
    context = made.context
    row = again.requests.submit(
        context, "discharge_record", {"text": "患者发热三天"}, "hash-1", idempotency_key="k"
    )
    assert row.id == made.id
    assert len(again.requests.list(context)) == 1
    again.close()


def test_a_caller_who_never_came_back_does_not_hold_the_key_for_ever(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.idempotency.begin("a", "k", ROUTE, "hash")
    monkeypatch.setattr(module, "IN_PROGRESS_SECONDS", 0.0)
    assert store.idempotency.begin("a", "k", ROUTE, "hash") is None


def test_a_beginning_that_was_not_kept_does_not_hold_the_key(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Session, "add", _full_disk)
        with pytest.raises(OSError, match="disk"):
            store.idempotency.begin("a", "k", ROUTE, "hash")
    assert store.idempotency.begin("a", "k", ROUTE, "hash") is None


def _full_disk(*_: object) -> None:
    raise OSError("the disk is full")


@pytest.mark.parametrize("key", ["", "a\x00", "k" * 129])
def test_a_bad_key(store: Store, key: str) -> None:
    with pytest.raises(InvalidArgument):
        store.idempotency.begin("a", key, ROUTE, "hash")
