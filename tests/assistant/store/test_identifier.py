from __future__ import annotations

import threading
import time
import uuid

import pytest

from assistant.store.identifier import is_id, new_id


def test_ids_sort_in_the_order_they_were_made() -> None:
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)


def test_an_id_is_a_uuid_of_version_7_with_the_time_in_front() -> None:
    before = time.time_ns() // 1_000_000
    parsed = uuid.UUID(new_id())
    assert parsed.version == 7
    assert parsed.variant == uuid.RFC_4122
    # Ids made within one tick of the clock run a little ahead of it.
    assert before <= parsed.int >> 80 <= time.time_ns() // 1_000_000 + 1000


def test_threads_never_get_the_same_id() -> None:
    made: list[str] = []
    threads = [
        threading.Thread(target=lambda: made.extend([new_id() for _ in range(500)]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 2000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "张三",
        "../etc",
        pytest.param(str(uuid.uuid4()), id="of another version"),
        pytest.param(new_id() + "\n", id="a line"),
    ],
)
def test_other_texts_are_not_ids(text: str) -> None:
    assert not is_id(text)


def test_own_ids_are_ids() -> None:
    assert is_id(new_id())
