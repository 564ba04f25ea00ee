"""Use an asynchronous stream from synchronous code, in any thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import TypeVar

Item = TypeVar("Item")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def iterate(stream: AsyncGenerator[Item]) -> Iterator[Item]:
    """The items of ``stream``; closing the iterator closes the stream."""
    loop = _background_loop()

    async def following() -> tuple[bool, Item | None]:
        try:
            return True, await anext(stream)
        except StopAsyncIteration:
            return False, None

    try:
        while True:
            more, item = asyncio.run_coroutine_threadsafe(following(), loop).result()
            if not more:
                return
            yield item  # type: ignore[misc]
    finally:
        asyncio.run_coroutine_threadsafe(stream.aclose(), loop).result()


def _background_loop() -> asyncio.AbstractEventLoop:
    """An event loop on a thread of its own, started when it is first needed."""
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="bedside-blocking", daemon=True).start()
        return _loop
