"""Where the chunks of a request arrive."""

from __future__ import annotations

import asyncio
import threading

import pytest

from serving.engine import Chunk, EngineError
from serving.engines.inbox import Inbox


async def test_chunks_come_in_order_up_to_the_last() -> None:
    inbox = Inbox()
    cancelled: list[int] = []

    def submit() -> None:
        for chunk in (Chunk("胸"), Chunk("痛", finish_reason="stop"), Chunk("后")):
            inbox.deliver(chunk)

    found = [chunk.text async for chunk in inbox.chunks(submit, lambda: cancelled.append(1))]
    assert found == ["胸", "痛"]
    assert cancelled == []


async def test_an_error_that_arrives_is_raised() -> None:
    inbox = Inbox()
    with pytest.raises(EngineError, match="gone"):
        async for _ in inbox.chunks(lambda: inbox.deliver(EngineError("gone")), lambda: None):
            pass


async def test_a_request_that_is_left_while_it_is_submitted_is_cancelled_afterwards() -> None:
    inbox, go, done = Inbox(), threading.Event(), threading.Event()
    happened: list[str] = []

    def submit() -> None:
        go.wait(60)
        happened.append("submitted")

    def cancel() -> None:
        happened.append("cancelled")
        if "submitted" in happened:
            done.set()

    waiting = asyncio.create_task(anext(inbox.chunks(submit, cancel)))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    go.set()
    assert await asyncio.to_thread(done.wait, 60)
    assert happened[-2:] == ["submitted", "cancelled"]
