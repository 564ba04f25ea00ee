"""A store, and a listener before it on a thread of its own."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.interop.hl7.listener import Listener
from assistant.interop.hl7.receiver import Receiver
from assistant.store import Store


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> Iterator[Store]:
    shutil.copy(empty_database, tmp_path / "bedside.db")
    opened = Store.open(tmp_path / "bedside.db", b"a secret that only the tests use")
    yield opened
    opened.close()


@pytest.fixture
def receiver(store: Store) -> Receiver:
    return Receiver(store)


@pytest.fixture
def port(receiver: Receiver) -> Iterator[int]:
    """Where a listener with small limits listens."""
    loop = asyncio.new_event_loop()
    listener = Listener(receiver.receive, limit=2_000_000, half_frame_seconds=0.5)
    bound = loop.run_until_complete(listener.start("127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield bound
    asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()
