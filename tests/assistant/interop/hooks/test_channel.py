"""What the server hands to a process of hooks comes whole, or is not handed."""

from __future__ import annotations

import contextlib

import pytest

from assistant.interop.hooks.processes.channel import MOST_BYTES, REQUEST, Channel


@pytest.mark.parametrize("length", [10, 150_000, MOST_BYTES - 1, MOST_BYTES, 460_000])
async def test_a_message_comes_whole_or_is_refused(length: int) -> None:
    ours, theirs = (Channel(end) for end in Channel.pair())
    with contextlib.closing(ours), contextlib.closing(theirs):
        is_sent = ours.send(REQUEST, b"x" * length)
        got = [len(message.data) for message in theirs.received()]
    assert got == ([length] if is_sent else [])
    assert is_sent or length > 150_000
