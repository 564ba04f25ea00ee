"""Where the chunks of one request arrive from another thread."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress

from serving.engine import Chunk, EngineError


class Inbox:
    """Made on the event loop that waits; `deliver` may be called from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[Chunk | EngineError] = asyncio.Queue()

    def deliver(self, item: Chunk | EngineError) -> None:
        """Put a chunk, or the error that ends the request."""
        # A loop that has been closed has nobody left to tell.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, item)

    async def chunks(
        self, submit: Callable[[], None], cancel: Callable[[], None]
    ) -> AsyncGenerator[Chunk]:
        """Submit the request, then its chunks up to the last; closed before that, it is cancelled.

        ``submit`` runs in a thread; what it raises, or an error that arrives, is raised here.
        ``cancel`` may be called twice, and before ``submit`` has done its work.
        """
        finished = left = False

        def submit_unless_left() -> None:
            submit()
            # Whoever waited may have gone while this ran, when there was nothing to cancel yet.
            if left:
                cancel()

        try:
            await asyncio.to_thread(submit_unless_left)
            while not finished:
                item = await self._arrived.get()
                finished = isinstance(item, EngineError) or item.finish_reason is not None
                if isinstance(item, EngineError):
                    raise item
                yield item
        finally:
            if not finished:
                left = True
                cancel()
